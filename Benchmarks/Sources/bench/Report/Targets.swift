import AllocationTrace

/// One thing the pools must reach.
struct Target: Codable {
    let what: String
    let atMost: String
    let measured: String
    /// Nil where this run cannot tell.
    let holds: Bool?
}

/// What the pools must reach, and what this run says about it.
struct Targets {
    private let results: Results
    private let judged = Competitor.judged

    init(_ results: Results) {
        self.results = results
    }

    var all: [Target] {
        hotPairs + traceTimes + [memory] + [cold, faults] + threads + [latency, prewarm] + metadata
            + [heap] + adaptiveRouting
    }

    // MARK: - Hot pairs

    private var hotPairs: [Target] {
        [(PairRun.Form.buffer, 0.5), (.handle, 1.0)].map { form, limit in
            let ratios = results.settings.pairSizes.compactMap { byteCount -> (name: String, ratio: Double)? in
                guard let own = results.pair("optimized", form, byteCount),
                    let peer = best(["tcmalloc", "tcmalloc warm"].compactMap { results.pair($0, .plain, byteCount) }),
                    let ratio = own.nanoseconds.ratio(to: peer.nanoseconds)
                else { return nil }
                return (Figure.size(byteCount), ratio)
            }
            return worst(
                of: ratios, what: "hot pair, 1 KiB to 64 MiB, \(form.rawValue), over tcmalloc's malloc+free",
                limit: limit)
        }
    }

    private func best(_ runs: [PairRun]) -> PairRun? {
        runs.min { ($0.nanoseconds.median ?? .infinity) < ($1.nanoseconds.median ?? .infinity) }
    }

    // MARK: - Traces

    private var traceTimes: [Target] {
        judged.flatMap { pool in
            [
                meanAndWorst(
                    "traces, allocator work alone (untouched), \(pool) over the best peer",
                    results.ratiosToBestPeer(pool, .none, \.roundNanoseconds), mean: 0.35, worst: 0.6),
                meanAndWorst(
                    "traces, touched, whole pass, \(pool) over the best peer",
                    results.ratiosToBestPeer(pool, .page, \.roundNanoseconds), mean: 0.85, worst: 1),
            ]
        }
    }

    private func meanAndWorst(
        _ what: String, _ ratios: [(trace: String, ratio: Double, peer: String)], mean: Double, worst: Double
    ) -> Target {
        let limit = "\(Figure.ratio(mean)) mean, \(Figure.ratio(worst)) worst"
        guard let geometricMean = ratios.map(\.ratio).geometricMean,
            let slowest = ratios.max(by: { $0.ratio < $1.ratio })
        else { return Target(what: what, atMost: limit, measured: "not measured", holds: nil) }
        return Target(
            what: what, atMost: limit,
            measured: "\(Figure.ratio(geometricMean)) mean, \(Figure.ratio(slowest.ratio)) worst "
                + "(\(slowest.trace) over \(slowest.peer))",
            holds: geometricMean <= mean && slowest.ratio <= worst)
    }

    private var memory: Target {
        let allowance = Double(2 << 20)
        let what = "traces, (peak resident growth - 2 MiB) over peak live, and below tcmalloc and mimalloc"
        let limit = "1.15x mean, 1.40x worst"
        let rows = judged.flatMap { pool in
            results.traces.compactMap { trace -> (name: String, ratio: Double, leanest: Double)? in
                guard let ratio = results.peakRatio(trace, pool, allowance: allowance) else { return nil }
                let leanest = results.peers.filter { $0.name.hasPrefix("tcmalloc") || $0.name.hasPrefix("mimalloc") }
                    .compactMap { results.peakRatio(trace, $0.name, allowance: allowance) }.min()
                return ("\(pool) on \(trace.name)", ratio, leanest ?? .infinity)
            }
        }
        guard let worst = rows.max(by: { $0.ratio < $1.ratio }) else {
            return Target(what: what, atMost: limit, measured: "not measured", holds: nil)
        }
        let means = judged.compactMap { pool in
            rows.filter { $0.name.hasPrefix(pool) }.map(\.ratio).geometricMean
        }
        let fat = rows.filter { $0.ratio >= $0.leanest }
        let meansText = zip(judged, means).map { "\($0) \(Figure.ratio($1)) mean" }.joined(separator: ", ")
        return Target(
            what: what, atMost: limit,
            measured: "\(meansText), \(Figure.ratio(worst.ratio)) worst (\(worst.name)); "
                + (fat.isEmpty
                    ? "below the peers on every trace" : "above a peer: " + fat.map(\.name).joined(separator: ", ")),
            holds: means.allSatisfy { $0 <= 1.15 } && worst.ratio <= 1.4 && fat.isEmpty)
    }

    private var cold: Target {
        let what = "traces, touched, first pass with construction (cold), over the best peer"
        let means = judged.compactMap { pool in
            results.ratiosToBestPeer(pool, .page, \.coldNanoseconds).map(\.ratio).geometricMean.map { (pool, $0) }
        }
        guard !means.isEmpty else {
            return Target(what: what, atMost: "1.00x mean", measured: "not measured", holds: nil)
        }
        return Target(
            what: what, atMost: "1.00x mean",
            measured: means.map { "\($0) \(Figure.ratio($1))" }.joined(separator: ", "),
            holds: means.allSatisfy { $0.1 <= 1 })
    }

    private var faults: Target {
        let what = "page faults a pass after the first, optimized and adaptive"
        let counts = results.traceRuns.filter { judged.contains($0.competitor) && $0.touch == .page }
            .compactMap { run in run.faults.median.map { (name: "\(run.competitor) on \(run.trace)", count: $0) } }
        guard let worst = counts.max(by: { $0.count < $1.count }) else {
            return Target(what: what, atMost: "0", measured: "not measured", holds: nil)
        }
        return Target(
            what: what, atMost: "0", measured: Figure.number(worst.count) + (worst.count > 0 ? " (\(worst.name))" : ""),
            holds: worst.count == 0)
    }

    // MARK: - Threads

    private var threads: [Target] {
        let twice = judged.compactMap { pool -> (name: String, ratio: Double)? in scaling("independent", pool) }
        let remote = judged.compactMap { pool -> (name: String, ratio: Double)? in
            guard let own = results.thread("producer-consumer", 2, pool),
                let best = results.bestPeer("producer-consumer", 2),
                let ratio = own.ratio(to: best)
            else { return nil }
            return ("\(pool) over \(best.competitor)", ratio)
        }
        let sharing = judged.compactMap { pool -> (name: String, ratio: Double)? in scaling("cache-scratch", pool) }
        return [
            worst(
                of: twice, what: "2 threads, independent, each pair over 1 thread's", limit: 1.05,
                beside: peersScaling("independent") + processesScaling),
            worst(of: remote, what: "producer and consumer on 2 threads, over the best peer", limit: 1),
            worst(
                of: sharing, what: "false sharing (cache-scratch), 2 threads over 1", limit: 1.05,
                beside: peersScaling("cache-scratch")),
        ]
    }

    /// The least that a second thread costs a peer: what the machine itself allows, about.
    private func peersScaling(_ workload: String) -> String {
        let ratios = results.peers.compactMap { peer in scaling(workload, peer.name).map { (peer.name, $0.ratio) } }
        guard let least = ratios.min(by: { $0.1 < $1.1 }) else { return "" }
        return "; of the peers \(Figure.ratio(least.1)) at least, \(least.0)"
    }

    /// The same of one thread in each of two processes that run at once: what the machine itself allows.
    private var processesScaling: String {
        let ratios = judged.compactMap { pool in
            results.thread("independent", 1, pool).flatMap { one -> String? in
                results.thread(ThreadSuite.processes, 2, pool).flatMap { two -> String? in
                    guard let wall = two.ratio(to: one),
                        let processor = two.processorNanoseconds.ratio(to: one.processorNanoseconds)
                    else { return nil }
                    return "\(pool) \(Figure.ratio(2 * wall)) (\(Figure.ratio(processor / 2)))"
                }
            }
        }
        return ratios.isEmpty ? "" : "; two processes at once \(ratios.joined(separator: ", "))"
    }

    /// The wall time of two threads over one thread's, each doing as much: 1 where the second costs the first nothing.
    private func scaling(_ workload: String, _ pool: String) -> (name: String, ratio: Double)? {
        guard let one = results.thread(workload, 1, pool), let two = results.thread(workload, 2, pool),
            let wall = two.wallNanoseconds.ratio(to: one.wallNanoseconds),
            let processor = two.processorNanoseconds.ratio(to: one.processorNanoseconds)
        else { return nil }
        return ("\(pool); \(Figure.ratio(processor / 2)) by processor time, which leaves other processes out", wall)
    }

    private func worst(
        of ratios: [(name: String, ratio: Double)], what: String, limit: Double, beside: String = ""
    ) -> Target {
        guard let worst = ratios.max(by: { $0.ratio < $1.ratio }) else {
            return Target(what: what, atMost: Figure.ratio(limit), measured: "not measured", holds: nil)
        }
        return Target(
            what: what, atMost: Figure.ratio(limit),
            measured: "\(Figure.ratio(worst.ratio)) worst (\(worst.name))\(beside)",
            holds: worst.ratio <= limit)
    }

    // MARK: - Single events and pools

    private var latency: Target {
        let what = "p99.9 of a pair on traces, over its p50, and absolute"
        guard let (steep, slow) = latency({ $0.pairLatency }) else {
            return Target(what: what, atMost: "20x, 2 us", measured: "not measured", holds: nil)
        }
        let medians = latency({ $0.pairMedians }).map {
            "; of each pair's median over \(results.settings.latencyRounds) rounds, which leaves out what befalls a pair "
                + "once, \(Figure.ratio($0.steep.ratio)) (\($0.steep.name)), \(Figure.number($0.slow.nanoseconds / 1000)) us"
        }
        return Target(
            what: what, atMost: "20x, 2 us",
            measured: "\(Figure.ratio(steep.ratio)) (\(steep.name)), \(Figure.number(slow.nanoseconds / 1000)) us "
                + "(\(slow.name))" + (medians ?? ""),
            holds: steep.ratio <= 20 && slow.nanoseconds <= 2000)
    }

    private typealias Tail = (name: String, ratio: Double, nanoseconds: Double)

    /// Where the p99.9 of a pair is highest over the p50 of all pairs, and where in time.
    private func latency(_ kind: (TraceRun) -> Latency?) -> (steep: Tail, slow: Tail)? {
        let tails = results.traceRuns.filter { judged.contains($0.competitor) && $0.touch == .none }
            .compactMap { run -> Tail? in
                guard let p999 = kind(run)?.p999.median, let p50 = run.pairLatency.p50.median else {
                    return nil
                }
                return ("\(run.competitor) on \(run.trace)", p999 / max(p50, 1), p999)
            }
        guard let steep = tails.max(by: { $0.ratio < $1.ratio }),
            let slow = tails.max(by: { $0.nanoseconds < $1.nanoseconds })
        else { return nil }
        return (steep, slow)
    }

    private var prewarm: Target {
        let what = "prewarm of 512 MiB over one populate call on huge pages"
        guard let pools = results.pools, let ratio = pools.prewarmNanoseconds.ratio(to: pools.populateNanoseconds)
        else {
            return Target(what: what, atMost: "1.20x", measured: "not measured", holds: nil)
        }
        return Target(what: what, atMost: "1.20x", measured: Figure.ratio(ratio), holds: ratio <= 1.2)
    }

    private var metadata: [Target] {
        [(1 << 10, 0.02), (1 << 20, 0.001)].map { byteCount, limit in
            let what = "pool metadata over live bytes, tensors of \(Figure.size(byteCount))"
            let shares = (results.pools?.metadata ?? []).filter { $0.byteCount == byteCount }.map {
                (name: "\($0.form.rawValue)s", share: $0.metadataBytes / $0.liveBytes)
            }
            guard let worst = shares.max(by: { $0.share < $1.share }) else {
                return Target(what: what, atMost: Figure.percent(limit), measured: "not measured", holds: nil)
            }
            return Target(
                what: what, atMost: Figure.percent(limit),
                measured: shares.map { "\($0.name) \(Figure.percent($0.share))" }.joined(separator: ", "),
                holds: worst.share <= limit)
        }
    }

    private var heap: Target {
        let what = "bytes of the process's heap that 100,000 hot pairs take, each pool, buffer and handle"
        guard let worst = results.pools?.heap.max(by: { $0.heapBytes < $1.heapBytes }) else {
            return Target(what: what, atMost: "0", measured: "not measured", holds: nil)
        }
        let place = " (\(worst.pool), \(worst.form.rawValue), \(Figure.size(worst.byteCount)))"
        return Target(
            what: what, atMost: "0", measured: "\(Int(worst.heapBytes))" + (worst.heapBytes > 0 ? place : ""),
            holds: worst.heapBytes == 0)
    }

    // MARK: - Adaptive

    private var adaptiveRouting: [Target] {
        let sizes = results.settings.pairSizes.compactMap { byteCount -> (name: String, excess: Double)? in
            guard let own = results.pair("adaptive", .buffer, byteCount)?.nanoseconds.median,
                let standard = results.pair("standard", .buffer, byteCount)?.nanoseconds.median,
                let optimized = results.pair("optimized", .buffer, byteCount)?.nanoseconds.median
            else { return nil }
            return (Figure.size(byteCount), own - (min(standard, optimized) * 1.05 + 2))
        }
        let traces = results.traces.compactMap { trace -> (name: String, excess: Double)? in
            let events = Double(trace.summary.eventCount)
            let values = ["adaptive", "standard", "optimized"].compactMap {
                results.run(trace.name, $0, .none)?.roundNanoseconds.median.map { $0 / events }
            }
            guard values.count == 3 else { return nil }
            // Two events make a pair.
            return (trace.name, values[0] - (min(values[1], values[2]) * 1.05 + 1))
        }
        return [("at each size of a hot pair", sizes), ("on each trace, an event", traces)].map { place, rows in
            let what = "adaptive over the better static strategy, \(place)"
            guard let worst = rows.max(by: { $0.excess < $1.excess }) else {
                return Target(what: what, atMost: "5 % + 2 ns", measured: "not measured", holds: nil)
            }
            return Target(
                what: what, atMost: "5 % + 2 ns",
                measured: worst.excess <= 0
                    ? "within" : "\(Figure.number(worst.excess)) ns beyond at worst (\(worst.name))",
                holds: worst.excess <= 0)
        }
    }
}
