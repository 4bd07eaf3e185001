import AllocationTrace
import ArgumentParser

struct AnalyzeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze",
        abstract: "Says what a recorded workload's allocations cost, and which pool and settings suit it.",
        discussion: """
            Reads an RMM log (CSV), a PyTorch profiler trace (JSON with profile_memory=True), a binary trace \
            (.tptrace) or a minimalloc problem (CSV), plain or gzip, known by its content; - is standard input. Finds \
            sizes, lifetimes, the step that repeats, sizes that grow, tensors that other threads free, and likely \
            leaks. Then it replays the trace on each pool, jemalloc, the system's malloc and what --peers names, each in \
            processes of its own that take turns: gains are measured in processor time, which other programs on the machine change least, over the later half of the \
            rounds, with rounds and spread, and with the lowest and the highest ratio of a turn. Each allocator \
            replays the whole trace where --seconds, or for a trace of up to 250,000 events three times as many, are \
            enough for that: another allocator at least once, after a part of it as a warm-up. Where they are not, what \
            is too slow gets samples of it: up to four stretches of the trace that together have \
            as many bytes and allocations of each size an event as the whole, another choice each turn, with exactly \
            that alive which is alive there. 'tensor-pool check-estimate' compares with replays of the whole.

            Categories are those of the pools, by the bytes asked for: VerySmall up to 4 KiB, Small up to 64 KiB, \
            Medium up to 1 MiB, Large up to 16 MiB, VeryLarge above.

            JSON keys: machine, file, format, findings (kind, text), suggestion (pool, whyPool, profile, whyProfile, \
            configuration, as --configuration writes it), estimate (traceEvents, replayedEvents, touch, turns, subjects: \
            name, allocator, eventsPerRound, firstRound, nanosecondsPerEvent by the clock, processorNanosecondsPerEvent, \
            processMedians, turnMedians, minorPageFaults, residentPeakBytes, residentGrowthOverPeakLive, reservedBytes, \
            constructionMilliseconds; gains: pool, peer, ratio, lowest, highest, processes; untouchedBecause where a trace \
            that needs more memory than there is was replayed with --touch none) and analysis (summary, irregularities, sizes, lifetimes, reuse, \
            drifts, steps, threads, likelyLeaks, liveCurve, peakDemand). Statistics are rounds, minimum, \
            lowerQuartile, median, upperQuartile, maximum. CSV has section, item, figure, value and unit.

            Exit codes: 0 done; 1 a file cannot be read or written, a peer is not installed, or a replay failed; 64 \
            wrong arguments.

            Examples:
              tensor-pool analyze profile.json.gz
              tensor-pool analyze profile.json.gz --peers tcmalloc,mimalloc
              tensor-pool analyze trace.csv.gz --configuration pool.json
              zcat log.csv.gz | tensor-pool analyze - --format json > analysis.json
            """
    )

    @Argument(help: "The trace.", completion: .file(extensions: ["csv", "gz", "json", "tptrace"]))
    var file: String

    @OptionGroup var measurement: WorkloadArguments

    @Option(help: "How the figures are printed.")
    var format: FigureFormat = .table

    @Option(
        name: .customLong("configuration"),
        help: "Where the suggested configuration is written, to be loaded by a program.",
        completion: .file(extensions: ["json"]))
    var configurationPath: String?

    func validate() throws {
        if configurationPath == FileName.stream {
            throw ValidationError("--configuration names a file: the figures go to standard output.")
        }
    }

    func run() throws {
        if let configurationPath { try PoolConfigurationFile.output(configurationPath).check() }
        let report = try measurement.report(on: file)
        if let configurationPath {
            try PoolConfigurationFile.write(report.suggestion.configuration, to: configurationPath)
        }
        try report.print(as: format)
    }
}

/// What `analyze` and `report` have in common.
struct WorkloadArguments: ParsableArguments {
    @Option(
        help: "What is written into each block that is replayed: nothing, a byte in every 4 KiB page, or every byte.")
    var touch: Touch = .page

    @Option(
        help: ArgumentHelp(
            "About how many seconds the replays take together, 0.1 to 3600.",
            discussion: """
                Up to three times as many for a trace of up to 250,000 events, where all of it can be replayed in \
                them, or where turns differ by more than 20 %. More \
                tell more: the whole trace instead of samples, and more turns.
                """))
    var seconds = 5.0

    @Option(
        help:
            "What else is replayed beside the pools, jemalloc and the system's malloc, with commas between: tcmalloc, mimalloc."
    )
    var peers: NameList<PeerName>?

    @Option(help: "How many sizes are listed, 1 to 1000.")
    var sizes = 12

    @Option(help: "Of which kind of device memory events are taken, by PyTorch's number: 0 the CPU, 1 CUDA.")
    var deviceType = 0

    func validate() throws {
        guard seconds >= 0.1, seconds <= 3600 else {
            throw ValidationError("--seconds is 0.1 to 3600, not \(seconds).")
        }
        guard (1...1000).contains(sizes) else {
            throw ValidationError("--sizes is 1 to 1000, not \(sizes).")
        }
    }

    /// Reads, analyses and measures.
    func report(on path: String) throws -> WorkloadReport {
        let progress = Progress()
        let read = try read(path, progress: progress)
        return try report(on: read, progress: progress)
    }

    /// Reads a trace where what it is to be replayed on is there.
    func read(_ path: String, progress: Progress) throws -> TraceFile {
        try peers?.checkInstalled()
        let details: TraceDetails = [.times]
        return try TraceLoading(progress: progress).read(
            path, options: TraceFile.Options(details: details, deviceType: deviceType))
    }

    func report(on file: TraceFile, progress: Progress) throws -> WorkloadReport {
        try EmptyTrace.check(file)
        return try WorkloadReport(
            file, touch: touch, seconds: seconds, peers: peers?.names.map(\.choice) ?? [], topSizes: sizes,
            progress: progress)
    }
}
