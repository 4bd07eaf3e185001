/// The life of tensors with handles: what is in use, what is not, what was never freed.
///
/// None of this costs the hot path anything, and nothing is ever freed behind the caller's back.
extension ObservablePool {
    /// Notes that a tensor is in use now.
    ///
    /// Cost: a lock and a dictionary, about 100 ns: once a step, not once an element.
    /// - Throws: ``TensorPoolError`` where the handle is not that of live tensor `id` of this pool.
    public func recordAccess(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        guard let engine = engines.all.first(where: { $0.serial == handle.serial }) else {
            throw .foreignHandle(tensorID: handle.tensorID)
        }
        try engine.recordAccess(id: id, handle)
    }

    /// All tensors that were allocated with a handle and not freed, largest first: at the end of a program, its leaks.
    ///
    /// - Complexity: O(handles ever live at one time).
    public func liveTensors() -> [LiveTensor] {
        engines.all.flatMap { $0.liveTensors() }.sorted { ($0.byteCount, $0.id) > ($1.byteCount, $1.id) }
    }

    /// The live tensors of an id: none where it was freed, several where the caller gave one id more than once.
    public func liveTensors(id: UInt64) -> [LiveTensor] { liveTensors().filter { $0.id == id } }

    /// Live tensors whose use was not recorded for a time. A tensor's idle time counts from the last
    /// ``recordAccess(id:_:)``, or from the first look at the live tensors after its allocation.
    public func staleTensors(idleFor duration: Duration) -> [LiveTensor] {
        let (seconds, attoseconds) = duration.components
        let limit = Double(seconds) * 1e9 + Double(attoseconds) / 1e9
        return liveTensors().filter { Double($0.idleNanoseconds) >= limit }
    }

    /// How short of memory the system is, by its own figures.
    public var memoryPressure: MemoryPressure { MemoryPressure.current() }
}
