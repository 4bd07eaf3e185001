import PoolModel
import Testing

@testable import TensorPool

@Suite struct BinMeasurementTests {
    /// Visits a bin until `count` timings are made, each of which costs what `cost` says.
    private static func run(_ bin: inout BinMeasurement, timings count: Int, _ cost: (AllocationStrategy) -> Double) {
        var made = 0
        while made < count {
            guard let strategy = bin.nextTrial() else { continue }
            _ = bin.record(strategy, TrialCost(nanoseconds: cost(strategy), spent: cost(strategy)), idlePrice: 10)
            made += 1
        }
    }

    @Test func aRareSizeIsNotTimedAndStaysOptimized() {
        var bin = BinMeasurement(minimumUses: 4)
        for _ in 0..<4 { #expect(bin.nextTrial() == nil) }
        #expect(bin.route == .optimized && bin.comparisons == 0)
    }

    @Test func aLookCountsAndPaysForWhatWentBy() {
        var bin = BinMeasurement(minimumUses: 4)
        var allowance = 1e6
        var look = bin.look(allowance: &allowance, perVisit: 2)
        #expect(look == (nil, 3) && bin.visits == 1 && allowance == 1e6 + 2)
        look = bin.look(allowance: &allowance, perVisit: 2)
        #expect(look == (.standard, 0) && bin.visits == 5 && allowance == 1e6 + 10)
    }

    @Test func theBetterStrategyWinsAfterThreeComparisons() {
        var bin = BinMeasurement(minimumUses: 4)
        Self.run(&bin, timings: 10) { $0 == .standard ? 100 : 500 }
        #expect(bin.comparisons <= 1 && bin.route == .optimized, "ten timings: two cold ones aside, four of each")
        Self.run(&bin, timings: 2) { $0 == .standard ? 100 : 500 }
        #expect(bin.comparisons == 3 && bin.route == .standard)
    }

    @Test func comparisonsGrowRareWhileTheyChangeNothing() {
        var bin = BinMeasurement(minimumUses: 4)
        Self.run(&bin, timings: 50) { $0 == .standard ? 500 : 100 }
        let visits = bin.visits
        Self.run(&bin, timings: 2) { $0 == .standard ? 500 : 100 }
        #expect(bin.visits - visits > 1 << 19)
        #expect(bin.route == .optimized)
    }

    @Test func nothingIsTimedBeyondTheAllowance() {
        var bin = BinMeasurement(minimumUses: 4)
        for _ in 0..<1000 {
            if let strategy = bin.nextTrial(allowance: 11_999) { Issue.record("\(strategy) was timed") }
        }
        #expect(bin.visits == 1000)
        while bin.nextTrial(allowance: 12_000) == nil {}
        _ = bin.record(.standard, TrialCost(nanoseconds: 1e6, spent: 1e6), idlePrice: 10)
        for _ in 0..<1000 {
            if let strategy = bin.nextTrial(allowance: BinMeasurement.dearestCharged - 1) {
                Issue.record("\(strategy) was timed")
            }
        }
    }

    /// A look takes a lock that threads share.
    @Test func aBinThatCannotPayForATimingIsLookedAtSeldom() {
        var bin = BinMeasurement(minimumUses: 4)
        var allowance = 0.0
        let first = bin.look(allowance: &allowance, perVisit: 2)
        #expect(first == (nil, 3))
        let second = bin.look(allowance: &allowance, perVisit: 2)
        #expect(second == (nil, BinMeasurement.unpaidInterval - 1) && bin.visits == 5 && allowance == 10)
    }

    @Test func coldCallsAreSetAside() {
        var bin = BinMeasurement(minimumUses: 4)
        var calls: [AllocationStrategy: Int] = [:]
        Self.run(&bin, timings: 20) { strategy in
            calls[strategy, default: 0] += 1
            return calls[strategy] == 1 ? 1e9 : strategy == .standard ? 500 : 100
        }
        #expect(bin.standard.median == 500 && bin.optimized.median == 100)
    }

    @Test func savingLessThanTheIdlePagesCostIsNotWorthIt() {
        var bin = BinMeasurement(minimumUses: 4)
        Self.run(&bin, timings: 40) { $0 == .standard ? 105 : 100 }
        #expect(bin.route == .standard, "5 ns saved, 10 wanted")
    }

    @Test func oneOutlierChangesNothing() {
        var bin = BinMeasurement(minimumUses: 4)
        Self.run(&bin, timings: 30) { $0 == .standard ? 500 : 100 }
        _ = bin.record(.optimized, TrialCost(nanoseconds: 1e6, spent: 1e6), idlePrice: 10)
        #expect(bin.route == .optimized)
    }

    @Test func whatChangesForGoodIsFound() {
        var bin = BinMeasurement(minimumUses: 4)
        Self.run(&bin, timings: 30) { $0 == .standard ? 500 : 100 }
        #expect(bin.route == .optimized)
        Self.run(&bin, timings: 40) { $0 == .standard ? 50 : 900 }
        #expect(bin.route == .standard)
    }

    @Test func twoRunsOfOneWorkloadDecideAlike() {
        func decisions() -> [AllocationStrategy] {
            var random = SeededRandom(42)
            var bin = BinMeasurement(minimumUses: 4)
            return (0..<40).map { _ in
                Self.run(&bin, timings: 1) { ($0 == .standard ? 500 : 100) + Double(random.below(200)) }
                return bin.route
            }
        }
        #expect(decisions() == decisions())
    }
}
