import AllocationTrace

/// Looking things up in the results.
extension Results {
    /// What to say where others used the machine: then wall times of several threads mean little.
    var warning: String? {
        guard let loadBefore, loadBefore > 0.5 else { return nil }
        return
            "The machine was busy before the run began (load \(Figure.number(loadBefore)) on \(machine.cores) cores): "
            + "wall times of several threads mean little."
    }

    var peers: [Competitor] { competitors.filter { $0.kind == .peer } }
    var ownPools: [Competitor] { competitors.filter { $0.kind == .pool } }

    func run(_ trace: String, _ competitor: String, _ touch: TraceRun.Touch) -> TraceRun? {
        traceRuns.first { $0.trace == trace && $0.competitor == competitor && $0.touch == touch }
    }

    /// The peer with the lowest median of a figure on a trace.
    func bestPeer(_ trace: String, _ touch: TraceRun.Touch, by figure: KeyPath<TraceRun, Sampled>) -> TraceRun? {
        peers.compactMap { run(trace, $0.name, touch) }
            .filter { $0[keyPath: figure].median != nil }
            .min { $0[keyPath: figure].median! < $1[keyPath: figure].median! }
    }

    /// A figure over the best peer's, trace by trace.
    func ratiosToBestPeer(
        _ competitor: String, _ touch: TraceRun.Touch, _ figure: KeyPath<TraceRun, Sampled>
    ) -> [(trace: String, ratio: Double, peer: String)] {
        traces.compactMap { trace in
            guard let own = run(trace.name, competitor, touch), let best = bestPeer(trace.name, touch, by: figure),
                let ratio = own[keyPath: figure].ratio(to: best[keyPath: figure])
            else { return nil }
            return (trace.name, ratio, best.competitor)
        }
    }

    /// The peak of resident memory over the most live bytes, `allowance` bytes taken off the peak.
    func peakRatio(_ trace: PreparedTrace, _ competitor: String, allowance: Double = 0) -> Double? {
        guard let growth = run(trace.name, competitor, .page)?.residentGrowth.median else { return nil }
        return (growth - allowance) / Double(trace.summary.peakLiveBytes)
    }

    func pair(_ competitor: String, _ form: PairRun.Form, _ byteCount: Int) -> PairRun? {
        pairs.first { $0.competitor == competitor && $0.form == form && $0.byteCount == byteCount }
    }

    func thread(_ workload: String, _ threads: Int, _ competitor: String) -> ThreadRun? {
        self.threads.first { $0.workload == workload && $0.threads == threads && $0.competitor == competitor }
    }

    /// The peer that is fastest by the wall clock.
    func bestPeer(_ workload: String, _ threads: Int) -> ThreadRun? {
        peers.compactMap { thread(workload, threads, $0.name) }
            .min { ($0.wallNanoseconds.median ?? .infinity) < ($1.wallNanoseconds.median ?? .infinity) }
    }
}
