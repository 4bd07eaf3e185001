/// What a monitor asks of the base.
extension HybridMemoryPool {
    /// Gives back what was idle for longer than the `idleReleaseAfter` of its pool; pools without one keep theirs.
    ///
    /// Idleness is seen from call to call: call it several times within that duration, as a running
    /// ``MemoryPressureMonitor`` does. Memory goes back after one to one and a quarter times the duration.
    ///
    /// Cost: a lock a pool, and every eighth of the duration what ``statistics()`` costs.
    @discardableResult public func releaseIdle() -> TrimResult { releaseIdle(at: MonotonicClock.now()) }

    func releaseIdle(at nanoseconds: UInt64) -> TrimResult {
        let engines = memory.engines().filter(\.releasesIdle)
        return TrimResult.measuring {
            let returned = engines.reduce(0) { $0 + $1.releaseIdle(at: nanoseconds) }
            if returned > 0 { memory.purge() }
            return returned
        }
    }

    /// Takes from the pools what a level of memory pressure asks for, each pool its share.
    func respond(_ response: MemoryPressureResponse) -> TrimResult {
        let engines = memory.engines()
        return TrimResult.measuring {
            var returned = 0
            if response.idleShare >= 1 {
                returned = engines.reduce(0) { $0 + $1.returnIdle() }
            } else if response.idleShare > 0 {
                for engine in engines {
                    let figures = engine.statistics()
                    let idle = Double(figures.cachedBytes + figures.prewarmedBytes)
                    returned += [engine].returnIdle(atLeast: Int((idle * response.idleShare).rounded(.up)))
                }
            }
            if response.purgesArenas { memory.purge() }
            return returned
        }
    }
}
