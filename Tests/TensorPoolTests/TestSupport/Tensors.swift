import TensorPool
import Testing

/// A buffer that can stand in an array or cross to another thread.
final class Owned: Sendable {
    let buffer: TensorBuffer

    init(_ buffer: consuming TensorBuffer) { self.buffer = buffer }

    var address: UInt { UInt(bitPattern: unsafe buffer.baseAddress) }
    var byteCount: Int { buffer.byteCount }

    func fill(_ pattern: UInt64) { unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.fill($0, pattern) } }
    func holds(_ pattern: UInt64) -> Bool {
        unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.holds($0, pattern) }
    }
    var isZero: Bool { unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.isZero($0) } }
}

extension TensorAllocator {
    /// Allocates a buffer that can be stored.
    func own(
        _ byteCount: Int, alignment: Int = 64, zeroed: Bool = false, _ traits: TensorTraits = TensorTraits()
    ) throws(TensorPoolError) -> Owned {
        Owned(try allocate(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits))
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

/// Bytes that follow from a number.
enum Fixtures {
    /// Fills memory with bytes that follow from a number.
    static func fill(_ bytes: UnsafeMutableRawBufferPointer, _ pattern: UInt64) {
        let words = bytes.count / 8
        var value = pattern
        for index in 0..<words {
            unsafe bytes.storeBytes(of: value, toByteOffset: index * 8, as: UInt64.self)
            value &+= 0x9E37_79B9_7F4A_7C15
        }
        for index in words * 8..<bytes.count { unsafe bytes[index] = UInt8(truncatingIfNeeded: pattern) }
    }

    /// Whether memory holds what ``fill(_:_:)`` wrote.
    static func holds(_ bytes: UnsafeMutableRawBufferPointer, _ pattern: UInt64) -> Bool {
        let words = bytes.count / 8
        var value = pattern
        var same = true
        for index in 0..<words {
            same = unsafe same && bytes.load(fromByteOffset: index * 8, as: UInt64.self) == value
            value &+= 0x9E37_79B9_7F4A_7C15
        }
        for index in words * 8..<bytes.count {
            same = unsafe same && bytes[index] == UInt8(truncatingIfNeeded: pattern)
        }
        return same
    }

    /// Whether all bytes are zero.
    static func isZero(_ bytes: UnsafeMutableRawBufferPointer) -> Bool {
        var sum: UInt64 = 0
        let words = bytes.count / 8
        for index in 0..<words { unsafe sum |= bytes.load(fromByteOffset: index * 8, as: UInt64.self) }
        for index in words * 8..<bytes.count { sum |= UInt64(unsafe bytes[index]) }
        return sum == 0
    }
}

struct NothingFound: Error {}

/// A value that is there. Takes what the macro `#require` cannot: values that cannot be copied, on the way.
func found<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw NothingFound() }
    return value
}
