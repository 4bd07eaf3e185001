/// What happens when a limit is reached: own caches, other pools' caches, the program's handler, the error.
extension BaseMemory {
    /// Has engines give up what no tensor uses, the asking one first, until `needed` bytes are free below the limits;
    /// then asks the program's handler, and collects what that made idle. Or has all engines give up everything, where
    /// it is the system that refused. Returns how many bytes were given up. No engine's lock may be held. `requested` is
    /// the size of the tensor, for the handler.
    func reclaim(_ needed: Int, for asking: Engine, all: Bool, requested: Int? = nil) -> Int {
        var returned = returnIdle(needed, for: asking, all: all)
        if all { return returned }
        for _ in 0..<LimitHandler.maximumCalls {
            guard shared.limitHandler.isSet, !hasRoom(for: needed),
                shared.limitHandler.ask({ limitReport(requested: requested ?? needed, needed: needed) }) == .retry
            else { break }
            returned += returnIdle(needed, for: asking, all: false)
        }
        return returned
    }

    /// The same without the program's handler, which prewarming does not ask.
    @discardableResult func returnIdle(_ needed: Int, for asking: Engine, all: Bool) -> Int {
        var returned = asking.returnIdle()
        for engine in engines() where engine !== asking {
            if !all {
                guard let obstacle = account.obstacle(to: needed) else { break }
                // What another pool holds makes no room below a limit that it is not under.
                guard obstacle.contains(engine.base.account) else { continue }
            }
            returned += engine.returnIdle()
        }
        return returned
    }

    /// The error for a request that a limit stands against, after everything idle was given up.
    func limitError(requested: Int, needed: Int) -> TensorPoolError {
        .limitReached(limitReport(requested: requested, needed: needed))
    }

    private func limitReport(requested: Int, needed: Int) -> LimitReport {
        // Another thread may have made room meanwhile; the figures are then those of the limit closest to the engine.
        let obstacle = account.obstacle(to: needed) ?? account.closestLimited
        let all = engines().reduce(into: PoolStatistics()) { sum, engine in
            if obstacle.contains(engine.base.account) { sum.add(engine.statistics()) }
        }
        let limit = obstacle.limit
        let reserved = obstacle.taken
        let setting = obstacle.scope == .pool ? "the pool's byteLimit" : "byteLimit"
        let advice: String
        if requested > limit {
            advice = "the tensor alone is larger than the limit: raise \(setting) to at least \(requested)"
        } else if all.liveBytes > limit - requested {
            advice = "live tensors leave \(max(0, limit - all.liveBytes)) bytes: free some, or raise \(setting)"
        } else {
            let (enough, overflow) = reserved.addingReportingOverflow(needed)
            advice =
                "what is free lies in pieces between live tensors: raise \(setting) to about \(overflow ? .max : enough)"
        }
        return LimitReport(
            scope: obstacle.scope, requested: requested, needed: needed, limit: limit, reserved: reserved,
            live: all.liveBytes, cached: all.cachedBytes + all.prewarmedBytes, advice: advice)
    }
}
