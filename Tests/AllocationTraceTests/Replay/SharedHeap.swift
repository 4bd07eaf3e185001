import AllocationTrace
import Foundation

/// A ``CheckedHeap`` that many threads use, one at a time, and what they did in which order.
final class SharedHeap: @unchecked Sendable {
    struct Call {
        let thread: UInt
        let kind: TraceEvent.Kind
        let byteCount: Int
        let moment: ContinuousClock.Instant
    }

    private let lock = NSLock()
    private let heap = CheckedHeap()
    private var calls: [Call] = []

    /// With all other threads kept out.
    func with<Result>(_ body: (CheckedHeap) throws -> Result) rethrows -> Result {
        try lock.withLock { try body(heap) }
    }

    var history: [Call] { lock.withLock { calls } }

    fileprivate func note<Result>(
        _ kind: TraceEvent.Kind, _ byteCount: Int, _ body: (CheckedHeap) throws -> Result
    ) rethrows -> Result {
        let moment = ContinuousClock.now
        return try lock.withLock {
            // Any number that tells threads apart will do.
            let thread = UInt(bitPattern: ObjectIdentifier(Thread.current).hashValue)
            calls.append(Call(thread: thread, kind: kind, byteCount: byteCount, moment: moment))
            return try body(heap)
        }
    }
}

/// Safe: it alone owns its memory.
@safe
struct SharedBlock: ReplayBlock, ~Copyable {
    let address: UnsafeMutableRawPointer

    static func allocate(byteCount: Int, id: Int, from heap: borrowing SharedHeap) throws -> Self {
        let address = try heap.note(.allocate, byteCount) { heap in
            UInt(bitPattern: try unsafe heap.allocate(byteCount, id: id))
        }
        // Fresh from the heap, and owned by nobody else.
        return unsafe SharedBlock(address: UnsafeMutableRawPointer(bitPattern: address)!)
    }

    consuming func deallocate(byteCount: Int, id: Int, to heap: borrowing SharedHeap) throws {
        let number = unsafe UInt(bitPattern: address)
        try heap.note(.free, byteCount) { heap in
            try unsafe heap.deallocate(UnsafeMutableRawPointer(bitPattern: number)!, byteCount: byteCount, id: id)
        }
    }
}
