internal import Jemalloc

/// Model weights, packed one behind the other at 64 bytes in chunks of an arena of their own.
///
/// Weights come together, live long and go together, so nothing is searched and nothing is rounded to a class: a
/// weight costs its bytes rounded up to 64. The room of a freed weight is used again when it was the last of its chunk,
/// or when the whole chunk is free.
struct WeightStore: ~Copyable {
    @safe struct Chunk {
        let address: UnsafeMutableRawPointer
        let byteCount: Int
        /// Bytes from the start that weights were placed in.
        var used = 0
        /// The most bytes `used` ever was, in whole pages: what the limit counts.
        var counted = 0
        var weights = 0
        /// Bytes from the start that are read-only, and that are locked in memory: whole pages.
        var frozen = 0
        var locked = 0
    }

    /// Address space got from the arena at a time; only what is used is counted.
    static let chunkByteCount = 64 << 20

    private(set) var chunks: [Chunk] = []
    /// Bytes that the limit counts.
    private(set) var countedBytes = 0
    /// Requested bytes of all weights.
    private(set) var liveBytes = 0
    private(set) var weights = 0

    /// A place for a weight, and how many bytes more the limit would count for it; nil where no chunk has room.
    func place(_ byteCount: Int, alignment: Int) -> (chunk: Int, offset: Int, growth: Int)? {
        for index in chunks.indices.reversed() {
            let chunk = chunks[index]
            // The first page of what is free may be read-only with the weight before it.
            guard chunk.frozen == 0 else { continue }
            let offset = (chunk.used + alignment - 1) & -alignment
            let end = offset + (byteCount + 63) & -64
            guard end <= chunk.byteCount else { continue }
            return (index, offset, max(0, SystemMemory.wholePages(end) - chunk.counted))
        }
        return nil
    }

    mutating func take(chunk index: Int, offset: Int, byteCount: Int) -> (
        address: UnsafeMutableRawPointer, isZero: Bool
    ) {
        let isZero = offset >= chunks[index].counted
        chunks[index].used = offset + (byteCount + 63) & -64
        let counted = max(chunks[index].counted, SystemMemory.wholePages(chunks[index].used))
        countedBytes += counted - chunks[index].counted
        chunks[index].counted = counted
        chunks[index].weights += 1
        weights += 1
        liveBytes += byteCount
        return unsafe (chunks[index].address + offset, isZero)
    }

    mutating func add(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        unsafe chunks.append(Chunk(address: address, byteCount: byteCount))
    }

    /// Forgets a weight. Returns its chunk when that holds no weight any more, taken out for the caller to free.
    mutating func remove(_ address: UnsafeMutableRawPointer, byteCount: Int) -> Chunk? {
        guard
            let index = chunks.firstIndex(where: {
                unsafe $0.address <= address && address < $0.address + $0.byteCount
            })
        else { stopProgram("a weight of no chunk") }
        liveBytes -= byteCount
        weights -= 1
        chunks[index].weights -= 1
        let offset = unsafe address - chunks[index].address
        if chunks[index].used == offset + (byteCount + 63) & -64 { chunks[index].used = offset }
        guard chunks[index].weights == 0 else { return nil }
        countedBytes -= chunks[index].counted
        return chunks.remove(at: index)
    }

    /// Takes out a chunk that never held a weight, for the caller to free; nil where there is none.
    mutating func removeEmpty() -> Chunk? {
        guard let index = chunks.firstIndex(where: { $0.weights == 0 }) else { return nil }
        return chunks.remove(at: index)
    }

    /// The pages that hold weights, or hold what was protected when it did.
    var ranges: [WeightRange] {
        chunks.map { chunk in
            let used = max(SystemMemory.wholePages(chunk.used), chunk.frozen, chunk.locked)
            return unsafe WeightRange(start: chunk.address, used: used, frozen: chunk.frozen, locked: chunk.locked)
        }
    }

    mutating func setProtected(
        _ protection: WeightRange.Protection, _ byteCount: Int, at start: UnsafeMutableRawPointer
    ) {
        guard let index = chunks.firstIndex(where: { unsafe $0.address == start }) else { return }
        switch protection {
        case .frozen: chunks[index].frozen = byteCount
        case .locked: chunks[index].locked = byteCount
        }
    }
}
