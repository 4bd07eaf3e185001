internal import Synchronization

/// When a tensor was last seen in use.
struct Sighting {
    /// The state of the record then: another tensor's sighting says nothing.
    var state: UInt64
    var nanoseconds: UInt64
}

/// Which tensors live, and for how long nobody used them. Kept outside the hot path: an age counts from the first of
/// these calls that saw the tensor.
extension Engine {
    /// Notes that a tensor is in use now.
    func recordAccess(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        try withState { state throws(TensorPoolError) in
            try check(id: id, handle)
            unsafe state.sightings[UnsafeMutableRawPointer(handle.record)] = Sighting(
                state: handle.state, nanoseconds: MonotonicClock.now())
        }
    }

    /// Live tensors that have handles, with the time since they were last seen in use.
    func liveTensors() -> [LiveTensor] {
        withState { state in
            // A record must not change its tensor while it is read.
            exclude(&state) { state in
                let now = MonotonicClock.now()
                var seen: [UnsafeMutableRawPointer: Sighting] = unsafe [:]
                var tensors: [LiveTensor] = []
                unsafe state.records.forEachLive { record in
                    let generation = unsafe record.pointee.state.load(ordering: .acquiring)
                    let key = UnsafeMutableRawPointer(record)
                    var sighting = Sighting(state: generation, nanoseconds: now)
                    if let known = unsafe state.sightings[key], known.state == generation { sighting = known }
                    unsafe seen[key] = sighting
                    let tensor = unsafe record.tensor
                    tensors.append(
                        LiveTensor(
                            id: tensor.id, byteCount: tensor.byteCount, idleNanoseconds: now - sighting.nanoseconds))
                }
                unsafe state.sightings = unsafe seen
                return tensors
            }
        }
    }
}
