/// What a trace says about the program that was recorded, without any allocator.
public struct TraceAnalysis: Sendable, Equatable, Codable {
    /// Counts and peaks.
    public let summary: TraceSummary
    /// What is odd in the recording.
    public let irregularities: TraceIrregularities
    /// From the first event to the last, in nanoseconds; nil where there are no times.
    public let durationNanoseconds: Int64?
    /// Which sizes are asked for.
    public let sizes: SizeFigures
    /// How long blocks live.
    public let lifetimes: LifetimeFigures
    /// How soon freed sizes come back.
    public let reuse: ReuseFigures
    /// Sizes that grow step by step, longest first.
    public let drifts: [SizeDrift]
    /// The step that repeats; nil where none was found.
    public let steps: StepFigures?
    /// Who frees whose blocks.
    public let threads: ThreadFigures
    /// What is allocated again and again and never freed, most bytes first.
    public let likelyLeaks: [LikelyLeak]
    /// The live bytes over the trace.
    public let liveCurve: LiveCurve
    /// What a pool would have to make ready.
    public let peakDemand: PeakDemand

    /// Analyses a trace.
    ///
    /// Cost: some passes over the events, about 1 microsecond an event; memory bounded by the trace's own.
    /// - Parameters:
    ///   - topSizes: how many sizes are listed, at least 1. Fewer stop the program.
    ///   - curvePoints: how many points the curve of live bytes has at the most: even, at least 2. Anything else
    ///     stops the program.
    ///   - report: told now and then how many events the first pass has seen.
    public init(
        _ trace: AllocationTrace, topSizes: Int = 20, curvePoints: Int = 1024,
        progress report: ((_ eventsSeen: Int) -> Void)? = nil
    ) {
        guard topSizes > 0 && curvePoints >= 2 && curvePoints % 2 == 0 else {
            fatalError("an analysis lists a size or more, on an even number of points: not \(topSizes), \(curvePoints)")
        }
        var pass = AnalysisPass(trace, curvePoints: curvePoints)
        pass.run(report)
        summary = trace.summary
        irregularities = trace.irregularities
        durationNanoseconds = trace.durationNanoseconds
        sizes = pass.sizes.figures(sizes: pass.table.sizes, topCount: topSizes)
        lifetimes = pass.lifetimes.figures(trace.summary)
        reuse = pass.reuse.figures(trace.summary)
        drifts = pass.drift.drifts(atMost: 16)
        threads = pass.threads.figures(trace.threads)
        liveCurve = pass.curve.curve
        peakDemand = pass.demand.demand
        var search = pass.threads.busiest.map { StepSearch(trace, thread: $0) }
        let found = search?.run()
        steps = found?.figures
        likelyLeaks = LeakSearch.run(trace, boundaries: found?.boundaries)
    }
}

/// The one pass that all figures but the steps come from.
private struct AnalysisPass {
    private let trace: AllocationTrace
    var table = SizeTable()
    var sizes = SizeCollector()
    var lifetimes = LifetimeCollector()
    var reuse = ReuseCollector()
    var drift = SizeDriftCollector()
    var threads: ThreadCollector
    var curve: LiveCurveCollector
    var demand = PeakDemandCollector()
    private var live: LiveAllocations

    init(_ trace: AllocationTrace, curvePoints: Int) {
        self.trace = trace
        threads = ThreadCollector(threadCount: trace.threads.count)
        curve = LiveCurveCollector(maximumPoints: curvePoints)
        live = LiveAllocations(slotCount: trace.slotCount)
    }

    mutating func run(_ report: ((Int) -> Void)?) {
        let hasTimes = !trace.times.isEmpty
        for index in trace.events.indices {
            if index & 0xffff == 0 { report?(index) }
            let event = trace.events[index]
            var allocation: ObservedEvent.Allocation?
            if event.kind == .allocate {
                live.note(event, at: index)
            } else {
                let origin = live.allocation(ofSlot: event.slot)
                allocation = ObservedEvent.Allocation(
                    index: origin.index, thread: origin.thread, time: hasTimes ? trace.times[origin.index] : nil)
            }
            let known = table.sizes.count
            let size = table.number(of: event.byteCount)
            let observed = ObservedEvent(
                index: index, event: event, time: hasTimes ? trace.times[index] : nil, size: size,
                allocation: allocation)
            sizes.observe(observed)
            lifetimes.observe(observed)
            reuse.observe(observed)
            drift.observe(observed, isFirstOfSize: table.sizes.count > known)
            threads.observe(observed)
            curve.observe(event)
            demand.observe(event)
        }
    }
}
