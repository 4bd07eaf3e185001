import AllocationTrace

/// An allocator that watches how it is used.
///
/// One thread uses it at a time. Its memory is pattern 0xAA when handed out.
final class CheckedHeap {
    struct Refusal: Error, CustomStringConvertible {
        var description: String { "refused" }
    }

    var live: [UInt: Int] = [:]
    var liveIDs: Set<Int> = []
    var allocations = 0
    var deallocations = 0
    var peakLiveBytes = 0
    var mistakes: [String] = []
    /// The allocation, counted from 0, that is refused.
    var refusedAllocation: Int?
    /// The deallocation, counted from 0, that is refused, after it was carried out.
    var refusedDeallocation: Int?
    /// Told where each block was and what it held when it came back.
    var inspect: ((_ address: UInt, _ bytes: [UInt8]) -> Void)?

    deinit {
        // Nobody else knows these addresses any more.
        for address in live.keys { unsafe UnsafeMutableRawPointer(bitPattern: address)!.deallocate() }
    }

    func allocate(_ byteCount: Int, id: Int) throws(Refusal) -> UnsafeMutableRawPointer {
        defer { allocations += 1 }
        if allocations == refusedAllocation { throw Refusal() }
        let address = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        unsafe address.initializeMemory(as: UInt8.self, repeating: 0xaa, count: byteCount)
        if !liveIDs.insert(id).inserted { mistakes.append("id \(id) is used twice at a time") }
        live[UInt(bitPattern: address)] = byteCount
        peakLiveBytes = max(peakLiveBytes, live.values.reduce(0, +))
        return unsafe address
    }

    func deallocate(_ address: UnsafeMutableRawPointer, byteCount: Int, id: Int) throws(Refusal) {
        defer { deallocations += 1 }
        if live.removeValue(forKey: UInt(bitPattern: address)) != byteCount {
            mistakes.append("an address came back that is not live, or with another size")
            return
        }
        if liveIDs.remove(id) == nil { mistakes.append("id \(id) came back and was not live") }
        // Still live, and `byteCount` long as has been checked.
        unsafe inspect?(UInt(bitPattern: address), Array(UnsafeRawBufferPointer(start: address, count: byteCount)))
        unsafe address.deallocate()
        if deallocations == refusedDeallocation { throw Refusal() }
    }
}

/// Safe: it alone owns its memory.
@safe
struct CheckedBlock: ReplayBlock, ~Copyable {
    let address: UnsafeMutableRawPointer

    static func allocate(byteCount: Int, id: Int, from heap: borrowing CheckedHeap) throws(CheckedHeap.Refusal) -> Self
    {
        let address = unsafe try heap.allocate(byteCount, id: id)
        return unsafe CheckedBlock(address: address)
    }

    consuming func deallocate(byteCount: Int, id: Int, to heap: borrowing CheckedHeap) throws(CheckedHeap.Refusal) {
        unsafe try heap.deallocate(address, byteCount: byteCount, id: id)
    }
}
