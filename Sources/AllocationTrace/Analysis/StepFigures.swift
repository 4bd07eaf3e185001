/// The step that a trace repeats, such as one inference: on the thread that has the most events.
public struct StepFigures: Sendable, Equatable, Codable {
    /// What repeats.
    public enum Basis: String, Sendable, Codable {
        /// The sizes asked for.
        case sizes
        /// The order of allocations and frees, and how long ago each freed block was allocated, whatever the sizes: as
        /// for inputs of changing shapes.
        case structure
    }

    /// Sizes that are asked for equally often in each step.
    public struct LockStepGroup: Sendable, Equatable, Codable {
        /// How often each of them is asked for in a step.
        public let timesPerStep: Int
        /// In bytes, largest first: the first 32.
        public let sizes: [Int]
        /// How many there are.
        public let sizeCount: Int
    }

    /// The number of the thread.
    public let thread: Int
    /// What repeats.
    public let basis: Basis
    /// The share of what is as it was a step before, above what chance would give: 0 to 1.
    public let matchShare: Double
    /// How many whole steps there are.
    public let steps: Int
    /// Allocations in a step, the median over the steps.
    public let allocationsPerStep: Int
    /// Events in a step, of all threads, the median over the steps.
    public let eventsPerStep: Int
    /// Nanoseconds from one step to the next, the median; nil where the trace has no times.
    public let nanosecondsPerStep: Int64?
    /// The numbers of the events at which steps begin, and last where the last whole step ends: at most 1,025.
    public let boundaries: [Int]
    /// Most sizes first. The sizes in a group come in lock-step.
    public let groups: [LockStepGroup]
    /// The share of the allocations within whole steps that are freed before their step ends, 0 to 1.
    public let freedWithinStepShare: Double
}

/// What the busiest thread does, as symbols for the ``StepFinder``: the latest million at most.
struct StepSearch {
    private static let maximumSymbols = 1 << 20
    private static let maximumReported = 1025
    /// Events of a step that is known by its structure alone.
    private static let minimumStructure = 8
    /// What the structure's share of matches has to be above the sizes'.
    private static let clearlyMore = 0.03
    /// How many times longer a step is than what is a part of it.
    private static let partOfStep = 1.5

    private let trace: AllocationTrace
    private let thread: Int
    /// The allocation or event that each symbol stands for.
    private var events: [UInt32] = []

    init(_ trace: AllocationTrace, thread: Int) {
        self.trace = trace
        self.thread = thread
    }

    /// The figures and all boundaries, or nil where nothing repeats.
    mutating func run() -> (figures: StepFigures, boundaries: [Int])? {
        guard let (basis, period, finder) = choose() else { return nil }
        let first = firstBoundary(period: period.length)
        let boundaries = finder.boundaries(period: period.length, first: first).map { Int(events[$0]) }
        guard boundaries.count > StepFinder.minimumSteps else { return nil }
        return (figures(basis, period, boundaries), boundaries)
    }

    /// The basis that explains clearly more, or, of a step that is longer, more at all; the sizes where both do alike,
    /// and where by structure alone a part of the step repeats. Where sizes drift from step to step, as those of a
    /// growing cache, they show a layer, and the structure the step. Leaves the events of that basis in `events`.
    private mutating func choose() -> (StepFigures.Basis, StepFinder.Period, StepFinder)? {
        let sizes = StepFinder(sizeSymbols())
        let sizePeriod = sizes.find()
        let sizeEvents = events
        // How many events of this thread a symbol stands for: an allocation mostly has its free.
        let structure = StepFinder(structureSymbols())
        let eventsPerAllocation = Double(structure.symbols.count) / Double(max(1, sizes.symbols.count))
        if let found = structure.find(minimumLength: Self.minimumStructure) {
            guard let sizePeriod else { return (.structure, found, structure) }
            let lengths = Double(found.length) / (Double(sizePeriod.length) * eventsPerAllocation)
            let more = found.matchShare - sizePeriod.matchShare
            if (more > 0 && lengths > Self.partOfStep) || (more >= Self.clearlyMore && lengths > 1 / Self.partOfStep) {
                return (.structure, found, structure)
            }
        }
        events = sizeEvents
        return sizePeriod.map { (.sizes, $0, sizes) }
    }

    private mutating func sizeSymbols() -> [Int32] {
        var table = SizeTable()
        events = []
        var symbols: [Int32] = []
        for index in trace.events.indices {
            let event = trace.events[index]
            guard event.kind == .allocate, Int(event.thread) == thread else { continue }
            // Sizes beyond the table's room are one symbol.
            symbols.append(Int32(table.number(of: event.byteCount) ?? SizeTable.maximumSizes))
            events.append(UInt32(truncatingIfNeeded: index))
        }
        return latest(symbols)
    }

    private mutating func structureSymbols() -> [Int32] {
        // An allocation is 0, a free the number of own events that its block lived; what lived long is one symbol.
        let longest = 4096
        var bornAt = [UInt32](repeating: 0, count: trace.slotCount)
        var ordinal: UInt32 = 0
        events = []
        var symbols: [Int32] = []
        for index in trace.events.indices {
            let event = trace.events[index]
            if event.kind == .allocate { bornAt[Int(event.slot)] = ordinal }
            guard Int(event.thread) == thread else { continue }
            ordinal += 1
            let age = event.kind == .free ? min(Int(ordinal - bornAt[Int(event.slot)]), longest) : 0
            symbols.append(Int32(age))
            events.append(UInt32(truncatingIfNeeded: index))
        }
        return latest(symbols)
    }

    private mutating func latest(_ symbols: [Int32]) -> [Int32] {
        guard symbols.count > Self.maximumSymbols else { return symbols }
        events = Array(events.suffix(Self.maximumSymbols))
        return Array(symbols.suffix(Self.maximumSymbols))
    }

    /// Where within the first period the fewest bytes live, over all periods: the seam between steps.
    private func firstBoundary(period: Int) -> Int {
        var sums = [Double](repeating: 0, count: period)
        var counts = [Double](repeating: 0, count: period)
        var live = 0
        var next = 0
        for index in trace.events.indices where next < events.count {
            let event = trace.events[index]
            if index == Int(events[next]) {
                sums[next % period] += Double(live)
                counts[next % period] += 1
                next += 1
            }
            live += event.kind == .allocate ? event.byteCount : -event.byteCount
        }
        return sums.indices.min { sums[$0] / max(1, counts[$0]) < sums[$1] / max(1, counts[$1]) } ?? 0
    }

    private func figures(_ basis: StepFigures.Basis, _ period: StepFinder.Period, _ boundaries: [Int]) -> StepFigures {
        var counter = StepCounter(trace, thread: thread)
        for (start, end) in zip(boundaries, boundaries.dropFirst()) { counter.count(start..<end) }
        let lengths = zip(boundaries, boundaries.dropFirst()).map { $1 - $0 }.sorted()
        var duration: Int64?
        if !trace.times.isEmpty {
            let durations = zip(boundaries, boundaries.dropFirst()).map { trace.times[$1] - trace.times[$0] }.sorted()
            duration = durations[durations.count / 2]
        }
        return StepFigures(
            thread: thread, basis: basis, matchShare: period.matchShare, steps: boundaries.count - 1,
            allocationsPerStep: counter.medianAllocations, eventsPerStep: lengths[lengths.count / 2],
            nanosecondsPerStep: duration, boundaries: Array(boundaries.prefix(Self.maximumReported)),
            groups: counter.groups, freedWithinStepShare: counter.freedWithinStepShare)
    }
}
