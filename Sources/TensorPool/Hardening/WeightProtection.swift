/// Weights that nobody may write to, and weights that stay in memory.
///
/// Both work on whole pages, and weights stand close together: so it is all weights of the pool, as they are at the call.
/// Those of later come to other pages and are as writable as ever until the next call. Tensors in debugging modes that
/// watch every tensor, and weights of a ``StaticPlan``, are left out.
extension ObservablePool {
    /// Makes all weights of the pool read-only: a write to one is a fault (SIGSEGV) until ``thawWeights()``. They can be
    /// freed as ever. Returns how many bytes are read-only then, whole pages.
    ///
    /// The process's own writes fail, whatever makes them; not those of a debugger or of the kernel's own.
    ///
    /// Cost: a system call for each 64 MiB of weights, and for each tensor that became a weight where it was.
    /// - Throws: ``TensorPoolError/protectionRefused(byteCount:code:)``; nothing has changed then.
    @discardableResult public func freezeWeights() throws(TensorPoolError) -> Int {
        var done: [(engine: Engine, ranges: [WeightRange])] = []
        do throws(TensorPoolError) {
            for engine in engines.all { done.append((engine, try engine.freezeWeights())) }
        } catch {
            for (engine, ranges) in done { engine.thaw(ranges) }
            throw error
        }
        return engines.all.reduce(0) { $0 + $1.frozenByteCount() }
    }

    /// Makes all weights of the pool writable again.
    public func thawWeights() { for engine in engines.all { engine.thawWeights() } }

    /// Locks all weights of the pool in memory: their pages are made resident and never leave it. Returns how many bytes
    /// are locked then, whole pages. A forked child does not inherit it.
    ///
    /// Cost: that of making the pages resident, and as for ``freezeWeights()``.
    /// - Throws: ``TensorPoolError/memoryLockRefused(byteCount:limit:)``; nothing has changed then.
    @discardableResult public func lockWeights() throws(TensorPoolError) -> Int {
        var done: [(engine: Engine, ranges: [WeightRange])] = []
        do throws(TensorPoolError) {
            for engine in engines.all { done.append((engine, try engine.lockWeights())) }
        } catch {
            for (engine, ranges) in done { engine.unlock(ranges) }
            throw error
        }
        return engines.all.reduce(0) { $0 + $1.lockedByteCount() }
    }

    /// Lets all weights of the pool leave memory again.
    public func unlockWeights() { for engine in engines.all { engine.unlockWeights() } }
}
