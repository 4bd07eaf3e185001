internal import Synchronization

/// Tensors in places.
extension PlanCore {
    /// The first byte of a place that was taken.
    @usableFromInline func address(of place: Int, zeroing: Bool) -> UnsafeMutableRawPointer {
        let address = unsafe address(of: place)
        if zeroing { unsafe Filling.fill(address, with: 0, byteCount: byteCount(of: place), vectorized: true) }
        return unsafe address
    }

    /// A handle for a place that was taken.
    @usableFromInline func handle(for place: Int, id: UInt64) -> MemoryHandle {
        let record = unsafe records + place
        let (address, byteCount) = unsafe (address(of: place), byteCount(of: place))
        let state = unsafe record.makeLive(RecordStatus.step(ofOwner: RecordStatus.noOwner))
        return unsafe MemoryHandle(
            baseAddress: address, byteCount: byteCount, tensorID: id, record: record, state: state, serial: serial,
            kind: .planned)
    }

    /// Frees a tensor by a handle that this plan made.
    @usableFromInline func free(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        guard handle.tensorID == id else { throw .wrongTensorID(given: id, handle: handle.tensorID) }
        let record = unsafe handle.record
        let (isFreed, state) = unsafe record.pointee.state.compareExchange(
            expected: handle.state, desired: RecordStatus.freed(handle.state), ordering: .acquiringAndReleasing)
        guard isFreed else { throw refusal(of: handle, whoseRecordSays: state) }
        PlanRegistry.free(firstNumber + UInt32(unsafe record - records))
    }

    /// Throws where a handle that this plan made names no live tensor.
    func check(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        guard handle.tensorID == id else { throw .wrongTensorID(given: id, handle: handle.tensorID) }
        let state = unsafe handle.record.pointee.state.load(ordering: .acquiring)
        guard state == handle.state else { throw refusal(of: handle, whoseRecordSays: state) }
    }

    private func refusal(of handle: MemoryHandle, whoseRecordSays state: UInt64) -> TensorPoolError {
        RecordStatus.isSameTensor(state, handle.state)
            ? .freedTwice(tensorID: handle.tensorID) : .staleHandle(tensorID: handle.tensorID)
    }

    /// Counts the plan's tensors, and the slab no more as one.
    func add(to statistics: inout PoolStatistics) {
        let served = counts.servedByCategory
        let allocations = served.values.reduce(0, +)
        var liveTensors = 0
        var liveBytes = 0
        for place in 0..<count where unsafe statuses[place].load(ordering: .acquiring) == Status.live {
            liveTensors += 1
            liveBytes += byteCount(of: place)
        }
        statistics.liveBytes += liveBytes - slab.byteCount
        statistics.cachedBytes += slab.byteCount - liveBytes
        statistics.liveTensors += liveTensors - 1
        statistics.allocations += allocations - 1
        statistics.deallocations += allocations - liveTensors
        statistics.cacheHits += allocations
        statistics.allocationsByCategory.merge(served, uniquingKeysWith: +)
        statistics.allocationsByCategory[TensorSizeCategory(byteCount: slab.byteCount), default: 0] -= 1
    }
}
