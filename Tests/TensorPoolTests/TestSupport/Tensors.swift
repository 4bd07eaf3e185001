import Foundation
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
    func dirty() { unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.dirty($0) } }
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

/// Bytes that follow from a number. Of more than 64 KiB, one word of each page and the two ends.
enum Fixtures {
    /// Calls `body` with each place of a word and the word, until it says no. Whether it never did.
    private static func forEachWord(_ byteCount: Int, _ pattern: UInt64, _ body: (Int, UInt64) -> Bool) -> Bool {
        let end = byteCount & ~7
        let isWhole = byteCount <= 64 << 10
        var offset = 0
        while offset < end {
            if !body(offset, pattern &+ UInt64(offset) &* 0x9E37_79B9_7F4A_7C15) { return false }
            let isAtAnEnd = isWhole || offset < 64 || offset >= end - 64
            offset = isAtAnEnd ? offset + 8 : min((offset & ~4095) + 4096, end - 64)
        }
        return true
    }

    /// Writes them.
    static func fill(_ bytes: UnsafeMutableRawBufferPointer, _ pattern: UInt64) {
        _ = forEachWord(bytes.count, pattern) { offset, word in
            unsafe bytes.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            return true
        }
        for index in bytes.count & ~7..<bytes.count { unsafe bytes[index] = UInt8(truncatingIfNeeded: pattern) }
    }

    /// Whether memory holds what ``fill(_:_:)`` wrote.
    static func holds(_ bytes: UnsafeMutableRawBufferPointer, _ pattern: UInt64) -> Bool {
        for index in bytes.count & ~7..<bytes.count where unsafe bytes[index] != UInt8(truncatingIfNeeded: pattern) {
            return false
        }
        return forEachWord(bytes.count, pattern) { offset, word in
            unsafe bytes.load(fromByteOffset: offset, as: UInt64.self) == word
        }
    }

    /// Whether all bytes are zero.
    static func isZero(_ bytes: UnsafeMutableRawBufferPointer) -> Bool {
        guard let first = bytes.baseAddress else { return true }
        return unsafe bytes[0] == 0 && memcmp(first, first + 1, bytes.count - 1) == 0
    }

    /// Writes ones into all bytes.
    static func dirty(_ bytes: UnsafeMutableRawBufferPointer) {
        unsafe _ = memset(bytes.baseAddress!, 0xFF, bytes.count)
    }
}

struct NothingFound: Error {}

/// A value that is there. Takes what the macro `#require` cannot: values that cannot be copied, on the way.
func found<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw NothingFound() }
    return value
}
