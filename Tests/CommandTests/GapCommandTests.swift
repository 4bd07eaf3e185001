import AllocationTrace
import Foundation
import TensorPool
import Testing

@testable import tensor_pool

@Suite struct GapCommandTests {
    private static let quick = ["gap", "--rounds", "2", "--budget", "0.05"]

    @Test func printsJSONWithItsKeys() throws {
        let result = try BuiltCommand.run(Self.quick + ["--format", "json"])
        #expect(result.status == 0)
        #expect(result.errors == "")
        try checkKeys(JSONKeys(result.output))
        let output = try JSONDecoder().decode(GapOutput.self, from: Data(result.output.utf8))
        checkStructure(output)
    }

    private func checkKeys(_ keys: JSONKeys) {
        #expect(
            keys.names == [
                "budgetMilliseconds", "choices", "constructions", "crossovers", "jemalloc", "machine", "pairs",
                "rounds", "systemMalloc", "targets", "verdicts",
            ])
        #expect(
            keys["constructions"].names == [
                "nanoseconds", "pool", "prewarmNanoseconds", "prewarmResidentBytes", "residentBytes",
            ])
        #expect(keys["constructions"]["nanoseconds"].names == JSONKeys.statistics)
        #expect(keys["pairs"].names == ["byteCount", "nanosecondsPerPair", "subject", "touch"])
        #expect(keys["pairs"]["nanosecondsPerPair"].names == JSONKeys.statistics)
        #expect(
            keys["verdicts"].names == [
                "allowedRegretNanoseconds", "byteCount", "gapPercent", "regretNanoseconds", "regretPercent", "touch",
                "winner",
            ])
        #expect(keys["crossovers"].names.isSubset(of: ["notAtBytes", "optimizedFromBytes", "touch"]))
        #expect(keys["choices"].names == ["byteCount", "reason", "rule", "strategy"])
        #expect(keys["targets"].names == JSONKeys.target)
    }

    private func checkStructure(_ output: GapOutput) {
        #expect(output.rounds == 2)
        #expect(output.budgetMilliseconds == 0.05)
        #expect(output.systemMalloc.hasSuffix("in a process without jemalloc"))
        #expect(output.constructions.map(\.pool) == [.standard, .optimized, .adaptive])
        #expect(output.constructions.allSatisfy { $0.nanoseconds.minimum > 0 })
        // The optimized pool and the adaptive one above it prewarm 8 MiB, the standard pool nothing.
        #expect(output.constructions[0].prewarmResidentBytes.median < 1_048_576)
        for prewarmed in output.constructions[1...] {
            #expect(prewarmed.prewarmResidentBytes.median > 4_194_304)
            #expect(prewarmed.prewarmNanoseconds.median > 0)
        }
        // Counted page by page, not timed.
        #expect(output.constructions.allSatisfy { $0.residentBytes.median < 1_048_576 })

        // Every subject, at every size, untouched and touched, in both rounds.
        let cells = Set(output.pairs.map { "\($0.subject) \($0.byteCount) \($0.touch)" })
        #expect(cells.count == 120)
        #expect(output.pairs.count == 120)
        #expect(output.pairs.allSatisfy { $0.nanosecondsPerPair.minimum > 0 && $0.nanosecondsPerPair.rounds == 2 })
        #expect(output.verdicts.count == 20)
        #expect(output.verdicts.allSatisfy { $0.allowedRegretNanoseconds > 2 })
        #expect(output.crossovers.map(\.touch) == [.none, .page])

        // The rules that no measurement changes.
        #expect(output.choices.map(\.byteCount) == PairComparison.sizes)
        for choice in output.choices {
            switch choice.byteCount {
            case ...(32 << 10): #expect(choice.rule == .upToStandardCeiling && choice.strategy == "standard")
            case (1 << 20 + 1)...: #expect(choice.rule == .aboveOptimizedFloor && choice.strategy == "optimized")
            default:
                #expect(
                    choice.rule == .measured
                        && (choice.reason.contains("comparisons")
                            || choice.reason.contains("too seldom to be measured"))
                )
            }
        }
        #expect(
            output.targets.map(\.name) == [
                "bufferPair", "handlePair", "regret", "touched16MiBAgainstJemalloc", "touched16MiBAgainstSystem",
                "constructionTime", "constructionResident",
            ])
    }

    @Test func printsTables() throws {
        let result = try BuiltCommand.run(Self.quick)
        #expect(result.status == 0)
        #expect(result.errors == "")
        for heading in [
            "Making a base and a pool", "Nanoseconds a pair, memory untouched", "one byte written in every 4 KiB page",
            "What the adaptive pool chooses, and its regret", "Promises", "helper process",
        ] {
            #expect(result.output.contains(heading))
        }
        let lines = result.output.split(separator: "\n")
        for size in ["1 KiB", "64 MiB"] {
            // Two tables of pairs, and one of choices.
            #expect(lines.count { $0.trimmingCharacters(in: .whitespaces).hasPrefix(size + " ") } == 3)
        }
        #expect(lines.allSatisfy { $0.last != " " })
    }

    @Test(arguments: [
        (["gap", "--rounds", "0"], "--rounds is 1 to 1000, not 0"),
        (["gap", "--rounds", "1001"], "--rounds is 1 to 1000"),
        (["gap", "--budget", "0"], "--budget is above 0 to 1000 milliseconds"),
        (["gap", "--budget", "nan"], "--budget is above 0 to 1000 milliseconds"),
        (["gap", "--budget", "1001"], "--budget is above 0 to 1000 milliseconds"),
        (["gap", "--format", "xml"], "'xml' is invalid"),
        (["gap", "trace.csv"], "Unexpected argument"),
    ])
    func wrongArgumentsExitWith64(arguments: [String], message: String) throws {
        let result = try BuiltCommand.run(arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(message))
        #expect(result.output == "")
    }
}
