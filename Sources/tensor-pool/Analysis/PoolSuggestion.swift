import AllocationTrace
import Foundation
import TensorPool

/// Which pool, which profile, and how much to make ready: from a trace's figures and measured replays.
struct PoolSuggestion: Codable, Equatable {
    /// What a profile of the library is called.
    enum Profile: String, Codable {
        case standard = "default"
        case inference, training, memoryConstrained, smallTensors, largeTensors
    }

    let pool: PoolName
    let whyPool: String
    let profile: Profile
    let whyProfile: String
    /// Ready to be loaded.
    let configuration: PoolConfiguration

    /// - Parameter memoryBytes: what the machine has.
    init(_ analysis: TraceAnalysis, _ estimate: ReplayEstimate, memoryBytes: Int) {
        (pool, whyPool) = Self.choosePool(estimate)
        (profile, whyProfile) = Self.chooseProfile(analysis, memoryBytes: memoryBytes)
        let prewarming = Self.prewarming(analysis.peakDemand, pool: pool, atMost: memoryBytes / 4)
        switch pool {
        case .standard:
            configuration = .standard(TensorMemoryPool.Configuration())
        case .optimized:
            var settings = Self.optimized(profile)
            settings.prewarming = prewarming
            configuration = .optimized(settings)
        case .adaptive:
            var settings = Self.adaptive(profile)
            settings.optimized.prewarming = prewarming
            configuration = .adaptive(settings)
        }
    }

    private init(
        _ other: PoolSuggestion, profile: Profile, _ whyProfile: String, _ configuration: PoolConfiguration
    ) {
        pool = other.pool
        whyPool = other.whyPool
        self.profile = profile
        self.whyProfile = whyProfile
        self.configuration = configuration
    }

    /// What is left of the suggestion where it was measured too: no settings that made the pool slower by more than a tenth
    /// and more than rounds differ, and no prewarming that did not shorten the first pass.
    func judged(by estimate: ReplayEstimate) -> PoolSuggestion {
        guard let own = estimate.subject(ReplayEstimate.suggested), let plain = estimate.subject(pool.rawValue) else {
            return self
        }
        let (mine, usual) = (own.processorNanosecondsPerEvent, plain.processorNanosecondsPerEvent)
        if mine.median > 1.1 * usual.median, mine.lowerQuartile > usual.upperQuartile {
            let why =
                "with the \(profile.rawValue) profile and prewarming it took \(Figures.decimal(mine.median)) ns an event, "
                + "so \(Figures.decimal(usual.median)) ns"
            let configuration: PoolConfiguration =
                switch pool {
                case .standard: .standard(TensorMemoryPool.Configuration())
                case .optimized: .optimized(OptimizedTensorPoolConfig())
                case .adaptive: .adaptive(AdaptiveConfiguration())
                }
            return PoolSuggestion(self, profile: .standard, why, configuration)
        }
        guard prewarming.map({ $0.byteCount > 0 }) == true, own.firstRound.median >= plain.firstRound.median else {
            return self
        }
        let none = OptimizedTensorPoolConfig.Prewarming(verySmall: 0, small: 0, medium: 0, large: 0, veryLarge: 0)
        let configuration: PoolConfiguration
        switch self.configuration {
        case .standard: return self
        case .optimized(var settings):
            settings.prewarming = none
            configuration = .optimized(settings)
        case .adaptive(var settings):
            settings.optimized.prewarming = none
            configuration = .adaptive(settings)
        }
        return PoolSuggestion(self, profile: profile, whyProfile, configuration)
    }

    /// What is made ready; nil where nothing is.
    var prewarming: OptimizedTensorPoolConfig.Prewarming? {
        let settings: OptimizedTensorPoolConfig? =
            switch configuration {
            case .standard: nil
            case .optimized(let settings): settings
            case .adaptive(let settings): settings.optimized
            }
        return settings.flatMap { $0.enablePrewarming ? $0.prewarming : nil }
    }

    /// Fewer rounds are not enough to prefer a pool by.
    private static let minimumRounds = 5

    /// The adaptive pool, unless another is faster by more than a tenth and by more than both spreads.
    static func choosePool(_ estimate: ReplayEstimate) -> (PoolName, String) {
        guard let adaptive = estimate.subject(PoolName.adaptive.rawValue)?.processorNanosecondsPerEvent else {
            return (.adaptive, "it decides by measurement")
        }
        for name in [PoolName.optimized, .standard] {
            guard let other = estimate.subject(name.rawValue)?.processorNanosecondsPerEvent else { continue }
            guard min(other.rounds, adaptive.rounds) >= minimumRounds else { continue }
            if other.median < 0.9 * adaptive.median, other.upperQuartile < adaptive.lowerQuartile {
                return (
                    name,
                    "it took \(Figures.decimal(other.median)) ns an event, the adaptive pool "
                        + "\(Figures.decimal(adaptive.median)) ns"
                )
            }
        }
        return (
            .adaptive,
            "no other pool was faster by more than a tenth and by more than rounds differ, and it decides each size by measurement"
        )
    }

    static func chooseProfile(_ analysis: TraceAnalysis, memoryBytes: Int) -> (Profile, String) {
        let peak = analysis.summary.peakLiveBytes
        if peak > memoryBytes / 2 {
            return (.memoryConstrained, "the peak is more than half of this machine's memory")
        }
        func share(_ categories: [SizeCategory], _ value: (SizeFigures.Category) -> Double) -> Double {
            let all = analysis.sizes.categories.reduce(0) { $0 + value($1) }
            let some = analysis.sizes.categories.filter { categories.contains($0.category) }
            return all > 0 ? some.reduce(0) { $0 + value($1) } / all : 0
        }
        let small = share([.verySmall, .small]) { Double($0.allocations) }
        let smallBytes = share([.verySmall, .small]) { Double($0.allocatedBytes) }
        if small >= 0.95, smallBytes >= 0.5 {
            return (.smallTensors, "\(Figures.percent(small)) of the allocations are up to 64 KiB")
        }
        let large = share([.large, .veryLarge]) { Double($0.allocations) }
        if large >= 0.5 { return (.largeTensors, "\(Figures.percent(large)) of the allocations are over 1 MiB") }
        guard analysis.steps != nil else { return (.standard, "no step was found that repeats") }
        let usual = usualShare(of: analysis.liveCurve)
        let text = Figures.percent(usual)
        return usual >= 0.5
            ? (.inference, "memory use is stable, on average \(text) of the peak, so nothing need go back in between")
            : (.training, "memory use swings, on average \(text) of the peak, so what is idle goes back under pressure")
    }

    /// The average over the trace as a share of the peak, 0 to 1.
    private static func usualShare(of curve: LiveCurve) -> Double {
        guard let peak = curve.peakBytes.max(), peak > 0 else { return 0 }
        return curve.peakBytes.reduce(0) { $0 + Double($1) } / Double(curve.peakBytes.count) / Double(peak)
    }

    /// The peaks of what comes from granules, shared out by category so that their sum is the peak of all together; for
    /// the optimized pool its size classes too. The adaptive pool serves up to 32 KiB from its standard strategy.
    static func prewarming(
        _ demand: PeakDemand, pool: PoolName, atMost limit: Int
    ) -> OptimizedTensorPoolConfig.Prewarming {
        var left = min(demand.granules, limit)
        func take(_ wanted: Int) -> Int {
            let taken = min(wanted, left)
            left -= taken
            return taken
        }
        let medium = take(demand.medium)
        let large = take(demand.large)
        let classes = pool == .optimized
        return OptimizedTensorPoolConfig.Prewarming(
            verySmall: classes ? min(demand.verySmall, limit) : 0, small: classes ? min(demand.small, limit) : 0,
            medium: medium, large: large, veryLarge: left)
    }

    private static func optimized(_ profile: Profile) -> OptimizedTensorPoolConfig {
        switch profile {
        case .standard: OptimizedTensorPoolConfig()
        case .inference: .inference
        case .training: .training
        case .memoryConstrained: .memoryConstrained
        case .smallTensors: .smallTensors
        case .largeTensors: .largeTensors
        }
    }

    private static func adaptive(_ profile: Profile) -> AdaptiveConfiguration {
        switch profile {
        case .standard: AdaptiveConfiguration()
        case .inference: .inference
        case .training: .training
        case .memoryConstrained: .memoryConstrained
        case .smallTensors: .smallTensors
        case .largeTensors: .largeTensors
        }
    }
}
