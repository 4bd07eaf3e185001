import AllocationTrace
import TensorPool

/// What pairs are measured on, as the commands name it.
enum GapSubject: String, CaseIterable, Codable {
    case standard
    case optimized
    case adaptive
    /// The adaptive pool's `MemoryHandle`; the three above are `TensorBuffer`s.
    case adaptiveHandle
    case jemalloc
    case system
}

/// The guide's performance gap, measured.
struct GapMeasurement {
    struct Outcome {
        /// Which malloc the helper process measured.
        let systemMalloc: String
        let constructions: [ConstructionStatistics]
        let rows: [PairComparison.Row]
        /// What the adaptive pool decides for each size after the measurement, in the order of the sizes.
        let decisions: [AllocationDecision]
    }

    static let touches: [Touch] = [.none, .page]
    /// Pairs of each size on the adaptive pool before the measurement: enough for all its first comparisons.
    static let warmUpPairs = 100

    /// In bytes.
    let sizes: [Int]
    let rounds: Int
    /// About how long one sample takes.
    let budget: Duration
    /// How many pools of each kind are made to see what making them costs.
    let constructions: Int

    func run(progress: Progress) throws -> Outcome {
        progress.show("making pools")
        // Before anything else has warmed the process up, as it is for a program that makes its first pool.
        let constructions = try ConstructionStatistics.measure(count: constructions)
        let helper = try SystemMallocHelper()
        let systemMalloc = try helper.describe().label
        let standard = try TensorMemoryPool.make(isPrewarmed: true)
        let optimized = try OptimizedTensorMemoryPool.make(isPrewarmed: true)
        let adaptive = try AdaptiveTensorMemoryPool.make(isPrewarmed: true)
        // Not the same pool: whichever goes second would find the first one's block in the processor's cache.
        let adaptiveForHandles = try AdaptiveTensorMemoryPool.make(isPrewarmed: true)
        // What is compared is the adaptive pool that knows its sizes; how it got to know them is not.
        progress.show("letting the adaptive pool learn")
        for size in sizes {
            for pool in [adaptive, adaptiveForHandles] {
                _ = try PairMeasurement(byteCount: size, touch: .page).measure(
                    TensorBufferBlock<AdaptiveTensorMemoryPool>.self, on: pool, iterations: Self.warmUpPairs,
                    budget: .zero)
            }
        }
        let comparison = PairComparison(
            candidates: [
                PairCandidate(.standard, TensorBufferBlock<TensorMemoryPool>.self, on: standard),
                PairCandidate(.optimized, TensorBufferBlock<OptimizedTensorMemoryPool>.self, on: optimized),
                PairCandidate(.adaptive, TensorBufferBlock<AdaptiveTensorMemoryPool>.self, on: adaptive),
                PairCandidate(
                    .adaptiveHandle, MemoryHandleBlock<AdaptiveTensorMemoryPool>.self, on: adaptiveForHandles),
                PairCandidate(.jemalloc, JemallocBlock.self, on: ()),
                .system(helper),
            ],
            pairs: sizes.flatMap { size in Self.touches.map { PairMeasurement(byteCount: size, touch: $0) } },
            rounds: rounds, budget: budget)
        let rows = try comparison.run { taken, all in progress.show("measuring pairs", taken, of: all, "sample") }
        return Outcome(
            systemMalloc: systemMalloc, constructions: constructions, rows: rows,
            decisions: sizes.map { adaptive.explain(byteCount: $0) })
    }
}

extension PairCandidate {
    fileprivate init<Block: ReplayBlock & ~Copyable>(
        _ subject: GapSubject, _ block: Block.Type, on source: Block.Source
    ) {
        self.init(subject.rawValue, block, on: source)
    }
}
