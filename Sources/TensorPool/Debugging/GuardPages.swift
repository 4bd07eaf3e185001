internal import CDebugging
internal import Jemalloc

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Pages of a tensor's own between inaccessible ones, as GWP-ASan makes them: at the page's end, where an access past the
/// tensor fails at once, or at its start, where one before it does.
@safe struct GuardPages {
    private let mapping: UnsafeMutableRawPointer
    private let mappingByteCount: Int
    /// The pages that may be touched.
    let data: UnsafeMutableRawPointer
    let dataByteCount: Int
    /// Its entry among the places that a fault is explained by.
    private let place: Int32

    /// Tensors larger than this get none: first touch of so much fresh memory would be felt.
    static let maximumByteCount = 64 << 20

    /// Maps pages for a tensor; nil where the system refuses, or where too many are out in the process.
    init?(byteCount: Int, alignment: Int) {
        let page = SystemMemory.pageByteCount
        dataByteCount = SystemMemory.wholePages(byteCount)
        let slack = alignment > page ? alignment : 0
        mappingByteCount = dataByteCount + 2 * page + slack
        if FaultInjection.refuses(.allocation) { return nil }
        place = tensorpool_claim_place()
        guard place >= 0 else { return nil }
        guard
            let mapping = unsafe mmap(nil, mappingByteCount, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0),
            unsafe mapping != MAP_FAILED
        else {
            tensorpool_release_place(place)
            return nil
        }
        let first = UInt(bitPattern: mapping) + UInt(page)
        let aligned = (first + UInt(alignment) - 1) & ~UInt(alignment - 1)
        unsafe self.mapping = unsafe mapping
        unsafe data = unsafe mapping + page + Int(alignment > page ? aligned - first : 0)
        guard unsafe mprotect(data, dataByteCount, PROT_READ | PROT_WRITE) == 0 else {
            unsafe munmap(mapping, mappingByteCount)
            tensorpool_release_place(place)
            return nil
        }
    }

    /// Says whose the pages are.
    func describe(_ tensor: GuardedTensor) {
        let entry = unsafe tensorpool_place_at(place)
        unsafe entry.pointee.end = UInt(bitPattern: mapping) + UInt(mappingByteCount)
        unsafe entry.pointee.tensor = UInt(bitPattern: tensor.address)
        unsafe entry.pointee.byte_count = tensor.byteCount
        unsafe entry.pointee.tensor_id = tensor.tensorID ?? 0
        unsafe entry.pointee.has_tensor_id = tensor.tensorID != nil
        unsafe entry.pointee.allocation_count = Self.store(tensor.allocation, &entry.pointee.allocation)
        unsafe entry.pointee.is_freed = false
        unsafe entry.pointee.free_count = 0
        unsafe tensorpool_publish_place(place, UInt(bitPattern: mapping))
    }

    /// Makes the pages inaccessible and gives their memory back; the addresses stay taken.
    func close(freeing: CodeLocation?) {
        let entry = unsafe tensorpool_place_at(place)
        unsafe entry.pointee.free_count = Self.store(freeing, &entry.pointee.freeing)
        unsafe entry.pointee.is_freed = true
        // Mapped anew: with the memory goes the kernel's promise of it, which, where it does not overcommit, others wait for.
        let closed = unsafe mmap(data, dataByteCount, PROT_NONE, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0)
        if unsafe closed == MAP_FAILED { unsafe mprotect(data, dataByteCount, PROT_NONE) }
    }

    /// Gives the addresses back.
    func unmap() {
        tensorpool_release_place(place)
        unsafe munmap(mapping, mappingByteCount)
    }

    /// Copies a stack into a tuple of the C table. Returns its length.
    private static func store<Frames>(_ location: CodeLocation?, _ frames: inout Frames) -> Int {
        let stack = location?.frames ?? []
        return unsafe withUnsafeMutableBytes(of: &frames) { bytes in
            let count = min(stack.count, bytes.count / MemoryLayout<UInt>.stride)
            for index in 0..<count {
                unsafe bytes.storeBytes(
                    of: stack[index], toByteOffset: index * MemoryLayout<UInt>.stride, as: UInt.self)
            }
            return count
        }
    }
}
