internal import Synchronization

/// Tensors that become weights.
extension Engine {
    /// Makes a tensor of `source` a weight of this engine: where it is, or by a copy.
    func makeWeight(id: UInt64, _ handle: MemoryHandle, of source: Engine) throws(TensorPoolError) -> WeightTransition {
        try source.withState { _ throws(TensorPoolError) in try source.check(id: id, handle) }
        let reason: String
        switch handle.kind.withoutSample {
        case _ where handle.kind.isWeight:
            return WeightTransition(handle: handle, copyReason: nil)
        case _ where handle.kind.isGuarded:
            reason = "a debugging mode watches the tensor where it is"
        case _ where handle.kind.isScrubbed:
            reason = "the pool overwrites what it frees"
        case let kind where kind.isSpan && source === self && promotesInPlace:
            return WeightTransition(handle: try promote(id: id, handle), copyReason: nil)
        case let kind where kind.isSpan && source === self:
            reason = "enableZeroCopyTransitions is off"
        case let kind where kind.isSpan || kind == .direct:
            reason = "the tensor lies in a standard arena, whose memory decays"
        default:
            reason = "a tensor of \(handle.byteCount) bytes shares its pages with others of its size class"
        }
        let weight = try requestHandle(
            id: id, byteCount: handle.byteCount, traits: TensorTraits(device: .cpu, role: .weight))
        unsafe weight.baseAddress.copyMemory(from: handle.baseAddress, byteCount: handle.byteCount)
        do throws(TensorPoolError) {
            try source.returnHandle(id: id, handle)
        } catch {
            // Another thread freed the tensor meanwhile: there is nothing left to become a weight.
            try returnHandle(id: id, weight)
            throw error
        }
        return WeightTransition(handle: weight, copyReason: reason)
    }

    /// Makes a span a weight where it is, under a new generation of its record.
    private func promote(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) -> MemoryHandle {
        try withState { state throws(TensorPoolError) in
            let cache = unsafe currentCache(&state)
            var failure: TensorPoolError?
            var promoted: MemoryHandle?
            // The owner's hot path could free the tensor in the middle of this, so every thread is kept out.
            exclude(&state) { state in
                do throws(TensorPoolError) {
                    try check(id: id, handle)
                } catch {
                    failure = error
                    return
                }
                let record = unsafe handle.record
                unsafe record.pointee.state.store(RecordStatus.freed(handle.state), ordering: .relaxed)
                let owner = RecordStatus.owner(of: handle.state)
                let generation = unsafe record.makeLive(RecordStatus.step(ofOwner: owner))
                if handle.kind.isSampled { unsafe state.samples.died(handle.baseAddress, now: MonotonicClock.now()) }
                unsafe state.promoteSpan(handle.baseAddress, byteCount: handle.byteCount, cache: cache)
                promoted = unsafe MemoryHandle(
                    baseAddress: handle.baseAddress, byteCount: handle.byteCount, tensorID: id, record: record,
                    state: generation, serial: serial, kind: .promotedSpan)
            }
            if let failure { throw failure }
            return promoted!
        }
    }
}
