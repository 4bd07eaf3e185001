import Foundation

/// What a run measures, and how often. All of it is written into the report.
struct Settings: Codable {
    /// Fewer processes, fewer threads: under three minutes on two cores.
    var isQuick = false
    /// Folders with `*.tensor.csv.gz` files. Of two files of one name, the first folder's is taken.
    var traceFolders: [String] = []
    var outputFolder = ""

    /// Processes for each combination, one after another through all allocators, so that a slow minute of the machine
    /// hits all of them.
    var repetitions = 5
    /// A combination of which one process takes longer than this is not repeated as often.
    var slowSeconds = 2.0
    var slowRepetitions = 2
    /// After the first round of a trace: at most so many rounds in a process, as long as the budget lasts.
    var rounds = 40
    var roundBudgetMilliseconds = 150
    /// Rounds in which each event is timed by itself.
    var latencyRounds = 5
    var pairSizes: [Int] = (10...26).map { 1 << $0 }
    /// For each size, in each process.
    var pairBudgetMilliseconds = 20
    var threadCounts = [1, 2, 4, 8]
    /// Pairs of allocation and release for each thread.
    var threadOperations = 300_000
    /// The same for cache-scratch, whose pairs write 1,000 times.
    var scratchOperations = 20_000
    var suites: [Suite] = Suite.allCases

    enum Suite: String, CaseIterable, Codable {
        case traces, pairs, threads, pools
    }

    static var quick: Settings {
        var settings = Settings()
        settings.isQuick = true
        settings.repetitions = 3
        settings.slowSeconds = 0.8
        settings.slowRepetitions = 1
        settings.rounds = 20
        settings.roundBudgetMilliseconds = 40
        settings.latencyRounds = 3
        settings.pairSizes = stride(from: 10, through: 26, by: 2).map { 1 << $0 }
        settings.pairBudgetMilliseconds = 8
        settings.threadCounts = [1, 2]
        settings.threadOperations = 200_000
        return settings
    }

    static let usage = """
        bench [--quick] [--traces FOLDER]... [--suite traces|pairs|threads|pools]... [--repetitions N] [--output FOLDER]
        bench prepare TRACE.csv.gz FILE      writes a trace as the workers read it
        bench render results.json FOLDER     reports an earlier run again

        Traces come from Benchmarks/Traces, from the folder that TENSOR_POOL_TRACES names, and from ../shared/traces
        beside the repository, as far as these exist, or only from the folders given.
        """

    /// Parses the command line. Nil where it makes no sense.
    init?(arguments: [String], repository: String, environment: [String: String]) {
        self = arguments.contains("--quick") ? .quick : Settings()
        var suites: [Suite] = []
        var rest = arguments[...]
        while let option = rest.popFirst() {
            if option == "--quick" { continue }
            guard let value = rest.popFirst() else { return nil }
            switch option {
            case "--traces": traceFolders.append(value)
            case "--output": outputFolder = value
            case "--repetitions":
                guard let count = Int(value), count > 0 else { return nil }
                repetitions = count
            case "--suite":
                guard let suite = Suite(rawValue: value) else { return nil }
                suites.append(suite)
            default: return nil
            }
        }
        if !suites.isEmpty { self.suites = suites }
        if outputFolder.isEmpty { outputFolder = repository + "/Benchmarks/.build/report" }
        if traceFolders.isEmpty {
            traceFolders = [repository + "/Benchmarks/Traces"]
            if let folder = environment["TENSOR_POOL_TRACES"] { traceFolders.append(folder) }
            traceFolders.append(repository + "/../shared/traces")
        }
    }

    private init() {}
}
