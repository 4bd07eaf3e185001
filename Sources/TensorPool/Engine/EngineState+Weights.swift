internal import Jemalloc

/// Model weights: packed in the weight store, or spans that became weights where they are.
extension EngineState {
    mutating func allocateWeight(_ request: BlockRequest) -> Served {
        if weights.place(request.byteCount, alignment: request.alignment) == nil {
            guard base.hasRoom(for: request.byteCount) else { return .limitReached(needed: request.byteCount) }
            guard addWeightChunk(holding: request.byteCount + request.alignment) else {
                return .refused(needed: request.byteCount)
            }
        }
        guard let place = weights.place(request.byteCount, alignment: request.alignment) else {
            return .refused(needed: request.byteCount)
        }
        guard reserve(place.growth) else { return .limitReached(needed: place.growth) }
        let weight = unsafe weights.take(chunk: place.chunk, offset: place.offset, byteCount: request.byteCount)
        if unsafe request.zeroed && !weight.isZero { unsafe zero(weight.address, request.byteCount) }
        weightAllocations += 1
        backendAllocations += 1
        liveBytes += request.byteCount
        peakLiveBytes = max(peakLiveBytes, liveBytes)
        return unsafe .block(Block(address: weight.address, kind: .weight))
    }

    mutating func freeWeight(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        weightFrees += 1
        liveBytes -= byteCount
        guard let chunk = unsafe weights.remove(address, byteCount: byteCount) else { return }
        unsafe unprotect(chunk.address, frozen: chunk.frozen, locked: chunk.locked)
        free(chunk)
        unreserve(chunk.counted)
    }

    /// Makes a span a weight where it is: nothing is copied, the span leaves the caches' and the cleanup's reach.
    mutating func promoteSpan(_ address: UnsafeMutableRawPointer, byteCount: Int, cache: ThreadCachePointer?) {
        promotedSpans[UInt(bitPattern: address)] = unsafe WeightRange(
            start: address, used: Granule.count(byteCount) << Granule.shift)
        let index = CacheLayout.spanBin(Granule.count(byteCount))
        unsafe countFree(bin: index, byteCount: byteCount, cache: cache)
        weightAllocations += 1
        liveBytes += byteCount
    }

    mutating func freePromotedSpan(_ address: UnsafeMutableRawPointer, byteCount: Int) {
        weightFrees += 1
        liveBytes -= byteCount
        if let range = promotedSpans.removeValue(forKey: UInt(bitPattern: address)) {
            unsafe unprotect(range.start, frozen: range.frozen, locked: range.locked)
        }
        unsafe giveSpan(address, Granule.count(byteCount))
    }

    /// Gives chunks back that no weight came to stand in, for the limit was reached in the meantime.
    mutating func returnEmptyChunks() {
        while let chunk = weights.removeEmpty() { free(chunk) }
    }

    private func free(_ chunk: WeightStore.Chunk) {
        // As with slabs: the next pool may want small pages.
        if configuration.hugePages == .automatic {
            unsafe SystemMemory.adviseSmallPages(chunk.address, chunk.byteCount)
        }
        unsafe Backend.free(chunk.address)
    }

    private mutating func addWeightChunk(holding byteCount: Int) -> Bool {
        let huge = SystemMemory.hugePageByteCount
        guard let flags = try? base.weightArenaFlags() else { return false }
        let needed = (byteCount + huge - 1) & -huge
        for size in Set([max(needed, WeightStore.chunkByteCount), needed]).sorted(by: >) {
            guard let memory = unsafe Backend.allocate(size, flags.union([.alignment(huge), .zeroed])) else { continue }
            if configuration.hugePages == .automatic { unsafe SystemMemory.adviseHugePages(memory, size) }
            unsafe weights.add(memory, byteCount: size)
            return true
        }
        return false
    }
}
