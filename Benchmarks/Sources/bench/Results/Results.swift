/// Everything that a run found out: what the JSON file holds.
struct Results: Codable {
    var machine: MachineDescription
    var settings: Settings
    var competitors: [Competitor]
    /// Peers whose library is not installed.
    var missingPeers: [String]
    var traces: [PreparedTrace] = []
    var traceRuns: [TraceRun] = []
    var pairs: [PairRun] = []
    var threads: [ThreadRun] = []
    var pools: PoolRun?
    var targets: [Target] = []
    var seconds = 0.0
    /// Processes that wanted a core before the run began, the average of a minute; nil where the system does not tell.
    var loadBefore: Double?
}

/// One allocator on one trace, touched or not.
struct TraceRun: Codable {
    enum Touch: String, Codable, CaseIterable {
        case none, page
    }

    let trace: String
    let competitor: String
    let touch: Touch
    /// Processor time of the thread: a process's median over its rounds after the first. The replay never waits, so
    /// on an idle machine it is the time that passes; on a busy one it leaves the other processes out.
    var roundNanoseconds = Sampled()
    /// The same by the wall clock.
    var roundWallNanoseconds = Sampled()
    /// Construction and the first round, processor time.
    var coldNanoseconds = Sampled()
    /// The same by the wall clock.
    var coldWallNanoseconds = Sampled()
    /// Page faults a round after the first: a process's median.
    var faults = Sampled()
    /// The peak of resident memory less what was resident before construction.
    var residentGrowth = Sampled()
    /// Of pools: the share of allocations that the thread's cache served.
    var cacheHitRate = Sampled()
    /// Of pools: the share of allocations that needed no new memory.
    var reuseRate = Sampled()
    var allocateLatency = Latency()
    var freeLatency = Latency()
    var pairLatency = Latency()
    /// The same of each pair's median over the rounds, which leaves out what befell it once. Earlier runs have none.
    var pairMedians: Latency? = Latency()
}

/// Percentiles of single events in nanoseconds, the timing's own cost taken off.
struct Latency: Codable {
    var p50 = Sampled()
    var p99 = Sampled()
    var p999 = Sampled()
    var maximum = Sampled()
}

/// One allocator's hot pair at one size.
struct PairRun: Codable {
    enum Form: String, Codable {
        /// 64-byte aligned: `posix_memalign`, or what the Swift type gives.
        case aligned
        /// `malloc`
        case plain
        case buffer
        case handle
    }

    let competitor: String
    let form: Form
    let byteCount: Int
    /// A process's median over its chunks.
    var nanoseconds = Sampled()
}

/// One allocator on one workload of threads.
struct ThreadRun: Codable {
    let workload: String
    let threads: Int
    let competitor: String
    /// Pairs of allocation and release of all threads together.
    let operations: Int
    var wallNanoseconds = Sampled()
    var processorNanoseconds = Sampled()
    var residentGrowth = Sampled()

    /// The wall time of a pair over another run's.
    func ratio(to other: ThreadRun) -> Double? {
        wallNanoseconds.ratio(to: other.wallNanoseconds).map { $0 * Double(other.operations) / Double(operations) }
    }
}

/// What only pools are asked.
struct PoolRun: Codable {
    struct Metadata: Codable {
        let form: PairRun.Form
        let byteCount: Int
        let count: Int
        let metadataBytes: Double
        let liveBytes: Double
    }

    /// What 100,000 hot pairs took of the process's heap.
    struct HeapUse: Codable {
        let pool: String
        let form: PairRun.Form
        let byteCount: Int
        let heapBytes: Double
    }

    var prewarmNanoseconds = Sampled()
    /// One populate call on huge pages.
    var populateNanoseconds = Sampled()
    let prewarmBytes: Int
    var metadata: [Metadata] = []
    var heap: [HeapUse] = []
}
