import Foundation
import PoolModel
import TensorPool
import Testing

/// A tensor that is freed with the last reference: can stand in an array or cross to another thread.
@safe final class Owned: @unchecked Sendable {
    let buffer: TensorBuffer
    let bytes: UnsafeMutableRawBufferPointer

    init(_ buffer: consuming TensorBuffer) {
        unsafe bytes = unsafe UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: buffer.byteCount)
        self.buffer = buffer
    }

    var address: UInt { UInt(bitPattern: unsafe bytes.baseAddress) }
    var byteCount: Int { unsafe bytes.count }

    func fill(_ pattern: UInt64) { unsafe Fixtures.fill(bytes, pattern) }
    func holds(_ pattern: UInt64) -> Bool { unsafe Fixtures.holds(bytes, pattern) }
    func dirty() { unsafe Fixtures.dirty(bytes) }
    var isZero: Bool { unsafe Fixtures.isZero(bytes) }
}

extension TensorAllocator {
    /// Allocates a buffer that can be stored.
    func own(
        _ byteCount: Int, alignment: Int = 64, zeroed: Bool = false, _ traits: TensorTraits = TensorTraits()
    ) throws(TensorPoolError) -> Owned {
        Owned(try allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits))
    }

    /// Allocates a tensor with a handle.
    func allocateTensor(_ id: UInt64, _ byteCount: Int, _ traits: TensorTraits = TensorTraits())
        throws(TensorPoolError) -> MemoryHandle
    {
        try allocateTensor(
            id: id, byteCount: byteCount, device: traits.device, isModelWeight: traits.role == .weight,
            isTemporary: traits.role == .temporary)
    }

    /// Why a buffer is not to be had.
    func refusedBuffer(_ byteCount: Int, alignment: Int = 64, _ traits: TensorTraits = TensorTraits())
        -> TensorPoolError?
    {
        refusal { () throws(TensorPoolError) in
            drop(try allocate(byteCount: byteCount, alignment: alignment, zeroed: false, traits: traits))
        }
    }

    /// Why a tensor is not to be had.
    func refusedTensor(_ byteCount: Int, device: TensorDevice = .cpu) -> TensorPoolError? {
        refusal { () throws(TensorPoolError) in
            _ = try allocateTensor(
                id: 1, byteCount: byteCount, device: device, isModelWeight: false, isTemporary: false)
        }
    }

    /// Why a handle cannot be freed.
    func refusedFree(_ id: UInt64, _ handle: MemoryHandle) -> TensorPoolError? {
        refusal { () throws(TensorPoolError) in try deallocateTensor(id: id, handle) }
    }
}

/// The error that `body` throws, or nil.
func refusal(_ body: () throws(TensorPoolError) -> Void) -> TensorPoolError? {
    do throws(TensorPoolError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// Ends a buffer here.
func drop(_ buffer: consuming TensorBuffer) {}

extension PoolStatistics {
    /// What the sum rule says `reservedBytes` is.
    var accountedBytes: Int { liveBytes + paddingBytes + cachedBytes + prewarmedBytes }
}

/// Checks the rules that hold for a pool's figures whenever no other thread works.
func expectSums(_ statistics: PoolStatistics, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(statistics.reservedBytes == statistics.accountedBytes, sourceLocation: sourceLocation)
    #expect(
        statistics.liveTensors == statistics.allocations - statistics.deallocations, sourceLocation: sourceLocation)
    for (name, value) in [
        ("live", statistics.liveBytes), ("padding", statistics.paddingBytes), ("cached", statistics.cachedBytes),
        ("prewarmed", statistics.prewarmedBytes), ("tensors", statistics.liveTensors),
    ] {
        #expect(value >= 0, "\(name)", sourceLocation: sourceLocation)
    }
    #expect(statistics.peakLiveBytes >= statistics.liveBytes, sourceLocation: sourceLocation)
    let byCategory = statistics.allocationsByCategory.values.reduce(0, +) + statistics.weightAllocations
    #expect(byCategory == statistics.allocations, sourceLocation: sourceLocation)
}

/// Expects that a process that stopped said so on standard error.
func expectMessage(_ text: String, of result: ExitTest.Result?, sourceLocation: SourceLocation = #_sourceLocation) {
    let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(said.contains(text), sourceLocation: sourceLocation)
}

struct NothingFound: Error {}

/// A value that is there. Takes what the macro `#require` cannot: values that cannot be copied, on the way.
func found<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw NothingFound() }
    return value
}
