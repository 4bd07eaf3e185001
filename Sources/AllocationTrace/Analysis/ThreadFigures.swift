/// Which threads free whose blocks.
public struct ThreadFigures: Sendable, Equatable, Codable {
    /// What one thread did.
    public struct Thread: Sendable, Equatable, Codable {
        /// The number that events give, from 0.
        public let number: Int
        /// As the file has it.
        public let id: UInt64
        /// As the file has it.
        public let name: String?
        /// How often it allocated.
        public let allocations: Int
        /// How often it freed.
        public let frees: Int
    }

    /// Frees by one thread of what another allocated.
    public struct Crossing: Sendable, Equatable, Codable {
        /// The number of the thread that allocated.
        public let allocatedBy: Int
        /// The number of the thread that freed.
        public let freedBy: Int
        /// How many blocks.
        public let frees: Int
        /// How many bytes in all; `Int.max` where it does not fit.
        public let bytes: Int
    }

    /// The busiest first.
    public let threads: [Thread]
    /// Pairs of different threads, most frees first.
    public let crossings: [Crossing]
    /// Crossing frees of pairs beyond the 65,536 that are told apart.
    public let freesOfFurtherPairs: Int
}

struct ThreadCollector {
    private static let maximumPairs = 1 << 16

    private var allocations: [Int]
    private var frees: [Int]
    private var crossings: [UInt32: (frees: Int, bytes: Int)] = [:]
    private var further = 0

    init(threadCount: Int) {
        allocations = [Int](repeating: 0, count: threadCount)
        frees = allocations
    }

    mutating func observe(_ observed: ObservedEvent) {
        let thread = observed.event.thread
        guard let allocation = observed.allocation else {
            allocations[Int(thread)] += 1
            return
        }
        frees[Int(thread)] += 1
        guard allocation.thread != thread else { return }
        let pair = UInt32(allocation.thread) << 16 | UInt32(thread)
        guard crossings[pair] != nil || crossings.count < Self.maximumPairs else {
            further += 1
            return
        }
        let old = crossings[pair, default: (0, 0)]
        let (bytes, overflow) = old.bytes.addingReportingOverflow(observed.event.byteCount)
        crossings[pair] = (old.frees + 1, overflow ? .max : bytes)
    }

    /// The thread that has the most events; nil where there is none.
    var busiest: Int? {
        allocations.indices.max { (allocations[$0] + frees[$0], $1) < (allocations[$1] + frees[$1], $0) }
    }

    func figures(_ threads: [TraceThread]) -> ThreadFigures {
        let all = threads.indices.map {
            ThreadFigures.Thread(
                number: $0, id: threads[$0].id, name: threads[$0].name, allocations: allocations[$0], frees: frees[$0])
        }
        return ThreadFigures(
            threads: all.sorted { ($0.allocations + $0.frees, $1.number) > ($1.allocations + $1.frees, $0.number) },
            crossings: crossings.map { pair, sum in
                ThreadFigures.Crossing(
                    allocatedBy: Int(pair >> 16), freedBy: Int(pair & 0xffff), frees: sum.frees, bytes: sum.bytes)
            }.sorted { ($0.frees, $1.allocatedBy, $1.freedBy) > ($1.frees, $0.allocatedBy, $0.freedBy) },
            freesOfFurtherPairs: further)
    }
}
