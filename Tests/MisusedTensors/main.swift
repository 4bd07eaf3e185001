// A program for tests of memory checkers: it misuses a tensor in the way its argument names.
import CDebugging
import TensorPool

/// Reads here, and not in the standard library, which no sanitizer was compiled into.
@inline(never) func read(_ address: UnsafeMutableRawPointer, _ offset: Int) -> UInt8 {
    unsafe address.assumingMemoryBound(to: UInt8.self)[offset]
}

let base = try HybridMemoryPool()
let pool = try OptimizedTensorMemoryPool(base)
let byteCount = 5000
let tensor = try pool.allocateTensor(id: 1, byteCount: byteCount)
let address = unsafe tensor.baseAddress
switch CommandLine.arguments.dropFirst().first {
case "has-checker": print(tensorpool_has_checker())
case "unwritten":
    // Not copied but decided by: that is what a checker of contents reports.
    print(unsafe read(address, 77) == 5 ? "five" : "not five")
case "past-end": print(unsafe read(address, byteCount))
case "before-start": print(unsafe read(address, -1))
case "after-free":
    unsafe tensor.bytes.initializeMemory(as: UInt8.self, repeating: 1)
    try pool.deallocateTensor(id: 1, tensor)
    // Others come and go meanwhile: the memory is kept back, and stays forbidden.
    for _ in 0..<100 {
        let other = try pool.allocateTensor(id: 2, byteCount: byteCount)
        try pool.deallocateTensor(id: 2, other)
    }
    print(unsafe read(address, 77))
case "buffer-after-free":
    let buffer = try pool.allocate(byteCount: byteCount)
    let stale = unsafe buffer.baseAddress
    _ = consume buffer
    unsafe stale.assumingMemoryBound(to: UInt8.self)[77] = 1
case "nothing":
    for byteCount in [1, 5000, 300_000, 2 << 20] {
        for _ in 0..<3 {
            var buffer = try pool.allocate(byteCount: byteCount)
            buffer.fill(with: 3)
            try pool.reallocate(&buffer, byteCount: 2 * byteCount)
            print(unsafe read(buffer.baseAddress, byteCount - 1))
            let zeroed = try pool.allocate(
                byteCount: byteCount, alignment: 64, zeroed: true, traits: TensorTraits(role: .weight))
            print(unsafe read(zeroed.baseAddress, byteCount - 1))
        }
    }
    try pool.deallocateTensor(id: 1, tensor)
    pool.trim()
default: fatalError("say how tensors are misused")
}
