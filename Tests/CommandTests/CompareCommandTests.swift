import AllocationTrace
import Foundation
import Testing

@testable import tensor_pool

@Suite struct CompareCommandTests {
    @Test func printsJSONWithItsKeys() throws {
        let result = try BuiltCommand.run(["compare", "--rounds", "6", "--format", "json"])
        #expect(result.status == 0)
        #expect(result.errors == "")
        let keys = try JSONKeys(result.output)
        #expect(keys.names == ["machine", "patterns", "results", "rounds", "stepsPerRound", "verdicts"])
        #expect(keys["patterns"].names == ["allocationsPerStep", "explanation", "name", "peakLiveBytes", "sizes"])
        #expect(
            keys["results"].names.union(["averageAllocationNanoseconds"]) == [
                "averageAllocationNanoseconds", "cacheEfficiency", "optimizedAllocations", "pairNanoseconds",
                "pattern", "pool", "reservedBytes", "reuseRate", "samples", "smallPairNanoseconds",
                "standardAllocations",
            ])
        #expect(keys["results"]["pairNanoseconds"].names == JSONKeys.statistics)
        #expect(keys["verdicts"].names == ["meetsAll", "pool", "targets"])
        #expect(keys["verdicts"]["targets"].names == JSONKeys.target)
        checkStructure(try JSONDecoder().decode(CompareOutput.self, from: Data(result.output.utf8)))
    }

    private func checkStructure(_ output: CompareOutput) {
        #expect(output.patterns.map(\.name) == ["inference", "training"])
        #expect(output.results.count == 6)
        for result in output.results {
            let pattern = output.patterns.first { $0.name == result.pattern }
            let allocations = (pattern?.allocationsPerStep ?? 0) * output.rounds * output.stepsPerRound
            #expect(result.standardAllocations + result.optimizedAllocations == allocations)
            #expect((0...1).contains(result.reuseRate))
            #expect(result.cacheEfficiency <= result.reuseRate + 1e-9)
            #expect(result.pairNanoseconds.rounds == 6)
            #expect(result.smallPairNanoseconds.minimum > 0)
            switch result.pool {
            case .standard: #expect(result.optimizedAllocations == 0)
            case .optimized: #expect(result.standardAllocations == 0)
            case .adaptive: #expect(result.optimizedAllocations > 0 && result.standardAllocations > 0)
            }
        }
        // What each strategy is: the standard one keeps nothing above 32 KiB, the optimized one everything.
        func rate(_ pool: PoolName) -> Double {
            output.results.first { $0.pool == pool && $0.pattern == "inference" }?.reuseRate ?? -1
        }
        #expect(rate(.standard) < 0.5)
        #expect(rate(.optimized) > 0.9)

        #expect(output.verdicts.map(\.pool) == [.standard, .optimized, .adaptive])
        for verdict in output.verdicts {
            #expect(
                verdict.targets.map(\.name) == ["reuse", "smallTensors", "cacheEfficiency", "cacheEfficiency"])
            #expect(verdict.meetsAll == verdict.targets.allSatisfy(\.holds))
        }
    }

    @Test func printsTables() throws {
        let result = try BuiltCommand.run(["compare", "--rounds", "2"])
        #expect(result.status == 0)
        #expect(result.output.contains("Pattern  inference: forward passes of a 12-layer transformer"))
        #expect(result.output.contains("The guide's targets"))
        #expect(result.output.contains("The standard pool misses: reuse rate for inference (inference)"))
        #expect(result.output.split(separator: "\n").allSatisfy { $0.last != " " })
    }

    @Test(arguments: [
        (["compare", "--rounds", "0"], "--rounds is 1 to 10000, not 0"),
        (["compare", "--rounds", "10001"], "--rounds is 1 to 10000"),
        (["compare", "--format", "xml"], "'xml' is invalid"),
    ])
    func wrongArgumentsExitWith64(arguments: [String], message: String) throws {
        let result = try BuiltCommand.run(arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(message))
    }

    @Test(arguments: WorkloadPattern.all.map(\.name))
    func patternsAreWholeSteps(name: String) throws {
        let pattern = try #require(WorkloadPattern.all.first { $0.name == name })
        let one = try pattern.trace(steps: 1)
        #expect(one.irregularities.isEmpty)
        #expect(one.summary.liveAtEndBlocks == 0)
        #expect(one.summary.eventCount == pattern.events.count)
        let three = try pattern.trace(steps: 3)
        #expect(three.summary.allocationCount == 3 * one.summary.allocationCount)
        #expect(three.summary.peakLiveBytes == one.summary.peakLiveBytes)
        let small = try pattern.trace(steps: 1, upTo: 64 << 10)
        #expect(small.summary.largestAllocationBytes <= 64 << 10)
        #expect(small.summary.allocationCount > 0)
        #expect(small.summary.allocationCount < one.summary.allocationCount)
    }
}
