import AllocationTrace

/// What `tensor-pool replay --pools ... --peers ... --format json` prints. The keys are stable: later versions add keys
/// and keep these.
struct ReplayComparisonOutput: Codable, Equatable, FigureOutput {
    let machine: MachineDescription
    /// The file as it was named.
    let file: String
    let trace: TraceSummary
    /// What the file held beside a legal history.
    let irregularities: TraceIrregularities
    let touch: Touch
    let mode: ReplayMode
    /// Processes for each subject.
    let turns: Int
    /// In the order asked for.
    let subjects: [ReplaySubject]
    /// Of each pool of this package over each other allocator.
    let gains: [Gain]

    init(
        file: String, trace: AllocationTrace, touch: Touch, mode: ReplayMode, turns: Int, subjects: [ReplaySubject]
    ) {
        machine = .current
        self.file = file
        self.trace = trace.summary
        irregularities = trace.irregularities
        self.touch = touch
        self.mode = mode
        self.turns = turns
        self.subjects = subjects
        gains = Gain.all(subjects)
    }

    /// For people: what was replayed, what it cost, and how long single events took.
    var text: String {
        let head =
            [trace.line(of: file)] + (irregularities.line.map { ["Odd      " + $0] } ?? [])
            + [
                "Touch    \(touch.line)", "Threads  \(mode.line)",
                "Method   \(Figures.count(turns, "process", "processes")) of each allocator, which take turns; medians of the later half of the rounds",
                "Machine  \(machine.line)",
            ]
        let latency = subjects.compactMap { subject in subject.latencies.map { (subject.name, $0) } }
        let clock = latency.map { Double($0.1.clockNanoseconds) }.max().map { [LatencyTable.note(clock: $0)] } ?? []
        let latencies = latency.isEmpty ? [] : ["", LatencyTable.text(latency)] + clock
        return (head + ["", costTable] + (gains.isEmpty ? [] : ["", gains.table]) + latencies)
            .joined(separator: "\n")
    }

    private var costTable: String {
        var table = FigureTable([
            .text("allocator"), .number("ns/event"), .number("spread"), .number("processor ns"), .number("first round"),
            .number("page faults"), .number("peak resident MiB"), .number("growth/peak live"), .text("which"),
        ])
        for subject in subjects {
            table.append([
                subject.name, Figures.decimal(subject.nanosecondsPerEvent.median),
                Figures.percent(subject.nanosecondsPerEvent.relativeSpread),
                Figures.decimal(subject.processorNanosecondsPerEvent.median),
                Figures.decimal(subject.firstRound.median), Figures.count(Int(subject.minorPageFaults.median)),
                Figures.mebibytes(subject.residentPeakBytes),
                touch == .none ? "" : Figures.decimal(subject.residentGrowthOverPeakLive), subject.allocator,
            ])
        }
        return table.text
    }
}
