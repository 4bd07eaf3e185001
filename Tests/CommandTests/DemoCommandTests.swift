import Foundation
import TensorPool
import Testing

@testable import tensor_pool

@Suite struct DemoCommandTests {
    @Test func printsJSONWithItsKeys() throws {
        let result = try BuiltCommand.run(["demo", "--steps", "20", "--format", "json"])
        #expect(result.status == 0)
        #expect(result.errors == "")
        let keys = try JSONKeys(result.output)
        #expect(keys.names == ["machine", "recommendations", "stages", "steps", "trims"])
        #expect(
            keys["stages"].names == [
                "allocations", "cacheHitRate", "decisions", "explanation", "name", "reuseRate",
            ])
        #expect(
            keys["stages"]["decisions"].names == [
                "byteCount", "reason", "rule", "strategy", "strategyBefore", "use",
            ])
        #expect(keys["recommendations"].names == ["advice", "finding", "kind"])
        #expect(
            keys["trims"].names.subtracting(["residentBytesReturned"]) == ["liveBytes", "releasedBytes"])
        try checkStructure(JSONDecoder().decode(DemoOutput.self, from: Data(result.output.utf8)))
    }

    private func checkStructure(_ output: DemoOutput) {
        #expect(output.stages.map(\.name) == ["weights", "inference", "training"])
        #expect(output.stages[0].decisions.allSatisfy { $0.use == "weight" && $0.rule == .modelWeight })
        for (stage, pattern) in zip(output.stages.dropFirst(), WorkloadPattern.all) {
            #expect(stage.allocations * 2 == pattern.events.count * 20)
            #expect(Set(stage.decisions.map(\.byteCount)) == Set(pattern.distinctSizes))
            for decision in stage.decisions {
                switch decision.byteCount {
                case ...(32 << 10): #expect(decision.strategy == "standard")
                case (1 << 20 + 1)...: #expect(decision.rule == .aboveOptimizedFloor)
                default: #expect(decision.rule == .measured)
                }
            }
        }
        // The training step's 144 MiB lie idle beside the weights.
        #expect(output.recommendations.contains { $0.kind == .idleMemory })
        #expect(output.trims.map(\.liveBytes) == [DemoWalk.weightSizes.reduce(0, +), 0])
        #expect(output.trims[0].releasedBytes > 100 << 20)
        if let returned = output.trims[0].residentBytesReturned { #expect(returned > 100 << 20) }
    }

    @Test func printsWhatWasChosenAndWhy() throws {
        let result = try BuiltCommand.run(["demo", "--steps", "5"])
        #expect(result.status == 0)
        for text in [
            "it is a model weight", "the standard pool caches sizes up to its ceiling", "a tensor this large",
            "What the pool recommends", "trim() gave up",
        ] {
            #expect(result.output.contains(text))
        }
    }

    @Test(arguments: [
        (["demo", "--steps", "0"], "--steps is 1 to 100000, not 0"),
        (["demo", "--steps", "100001"], "--steps is 1 to 100000"),
    ])
    func wrongArgumentsExitWith64(arguments: [String], message: String) throws {
        let result = try BuiltCommand.run(arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(message))
    }
}
