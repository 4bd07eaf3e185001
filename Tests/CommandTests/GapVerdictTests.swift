import AllocationTrace
import Testing

@testable import tensor_pool

@Suite struct GapVerdictTests {
    private func row(_ subject: GapSubject, _ pair: PairMeasurement, _ samples: [Double]) throws -> PairComparison.Row {
        PairComparison.Row(
            candidate: subject.rawValue, pair: pair, samples: samples,
            nanoseconds: try #require(RoundStatistics(samples)))
    }

    private func verdict(
        standard: [Double], optimized: [Double], adaptive: [Double], byteCount: Int = 1024
    ) throws -> GapVerdict {
        let pair = PairMeasurement(byteCount: byteCount, touch: .none)
        return try #require(
            GapVerdict(
                [
                    try row(.standard, pair, standard), try row(.optimized, pair, optimized),
                    try row(.adaptive, pair, adaptive),
                ], pair: pair))
    }

    @Test func regretIsTakenWithinARound() throws {
        // The second round was slow for all: the medians would differ by 0, and the pool is 1 ns behind in each round.
        let verdict = try verdict(standard: [500, 500, 500], optimized: [10, 40, 12], adaptive: [11, 41, 13])
        #expect(verdict.regretNanoseconds == 1)
        #expect(verdict.regretPercent == 100.0 / 12)
        #expect(verdict.winner == .optimized)
        #expect(verdict.gapPercent == 100 * 488.0 / 12)
        #expect(verdict.allowedRegretNanoseconds == 0.05 * 12 + 2)
    }

    @Test func whatIsWithinTheAllowanceIsEqual() throws {
        #expect(try verdict(standard: [100], optimized: [106.9], adaptive: [100]).winner == .equal)
        #expect(try verdict(standard: [100], optimized: [107.1], adaptive: [100]).winner == .standard)
        #expect(try verdict(standard: [107.1], optimized: [100], adaptive: [100]).winner == .optimized)
    }

    @Test func whatTheRoundsDisagreeOnIsEqual() throws {
        // The medians are 100 and 150, but half of the rounds say the opposite.
        let undecided = try verdict(
            standard: [100, 100, 100, 300, 300], optimized: [150, 150, 150, 50, 50],
            adaptive: [100, 100, 100, 100, 100])
        #expect(undecided.winner == .equal)
    }

    @Test func aFasterAdaptivePoolHasNegativeRegret() throws {
        let verdict = try verdict(standard: [20], optimized: [30], adaptive: [18])
        #expect(verdict.regretNanoseconds == -2)
        #expect(verdict.gapPercent < 0)
    }

    @Test func theCrossoverIsWhereOptimizedStartsToWin() throws {
        func crossover(_ outcome: [GapVerdict.Winner]) throws -> GapCrossover {
            let verdicts = try outcome.enumerated().map { index, winner in
                let standard = winner == .standard ? 10.0 : 100
                let optimized = winner == .optimized ? 10.0 : 100
                return try verdict(
                    standard: [standard], optimized: [optimized], adaptive: [10], byteCount: index + 1)
            }
            #expect(verdicts.map(\.winner) == outcome)
            return GapCrossover(verdicts.shuffled(), touch: .none)
        }
        let usual = try crossover([.standard, .equal, .optimized, .equal, .optimized])
        #expect(usual.optimizedFromBytes == 3)
        #expect(usual.notAtBytes == 2)
        let always = try crossover([.optimized, .optimized])
        #expect(always.optimizedFromBytes == 1)
        #expect(always.notAtBytes == nil)
        let never = try crossover([.optimized, .standard])
        #expect(never.optimizedFromBytes == nil)
        #expect(never.notAtBytes == nil)
        #expect(try crossover([.equal, .equal]).optimizedFromBytes == nil)
    }

    @Test func targetsHoldOnTheirOwnSide() {
        func holds(_ direction: TargetCheck.Direction, _ found: Double) -> Bool {
            TargetCheck("name", "promise", found: found, direction, 10, unit: "ns", at: "1 KiB").holds
        }
        #expect([9, 10, 11].map { holds(.atMost, $0) } == [true, true, false])
        #expect([9, 10, 11].map { holds(.below, $0) } == [true, false, false])
        #expect([9, 10, 11].map { holds(.atLeast, $0) } == [false, true, true])
        #expect([9, 10, 11].map { holds(.above, $0) } == [false, false, true])
    }
}
