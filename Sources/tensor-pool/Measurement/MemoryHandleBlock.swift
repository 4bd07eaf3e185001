import AllocationTrace
import TensorPool

/// A ``MemoryHandle`` of a pool: checked when it is given back.
@safe
struct MemoryHandleBlock<Pool: TensorAllocator>: ReplayBlock, ~Copyable {
    let handle: MemoryHandle

    var address: UnsafeMutableRawPointer { unsafe handle.baseAddress }

    @inline(__always)
    static func allocate(byteCount: Int, id: Int, from source: borrowing Pool) throws -> MemoryHandleBlock {
        MemoryHandleBlock(
            handle: try source.allocateTensor(id: UInt64(truncatingIfNeeded: id), byteCount: byteCount))
    }

    @inline(__always)
    consuming func deallocate(byteCount: Int, id: Int, to source: borrowing Pool) throws {
        try source.deallocateTensor(id: UInt64(truncatingIfNeeded: id), handle)
    }
}
