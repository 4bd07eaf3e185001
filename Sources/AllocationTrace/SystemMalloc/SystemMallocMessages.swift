/// What `tensor-pool` asks its helper process, one JSON object a line.
public enum SystemMallocRequest: Codable, Equatable, Sendable {
    case describe
    /// One sample of a pair: see ``PairMeasurement/measure(_:on:iterations:budget:)``.
    case pair(PairMeasurement, iterations: Int?, budgetNanoseconds: Int)
    /// Some rounds of a trace, after a warm-up where one is asked for, and then some with the clock read at each event.
    /// Asked again for the same file, touch and mode, the helper goes on where it was.
    case replay(
        path: String, touch: Touch, mode: ReplayMode, warmUp: WarmUpLimit?, rounds: Int, latencyRounds: Int)
}

/// What the helper answers, one JSON object a line, in the order of the requests.
public enum SystemMallocReply: Codable, Equatable, Sendable {
    case description(SystemMallocDescription)
    case pair(PairSample)
    case replay(ReplayReport)
    case failure(reason: String)
}

/// Which malloc the helper measures.
public struct SystemMallocDescription: Codable, Equatable, Sendable {
    /// Its name, with a version where the system tells.
    public let allocator: String
    /// Whether jemalloc is in the process after all, by preloading: then it is not the system's malloc that is measured.
    public let isReplacedByJemalloc: Bool
    /// The file that `malloc` comes from, links followed; nil where the system does not tell.
    public let library: String?

    /// A description of the allocator measured.
    public init(allocator: String, isReplacedByJemalloc: Bool, library: String?) {
        self.allocator = allocator
        self.library = library
        self.isReplacedByJemalloc = isReplacedByJemalloc
    }
}
