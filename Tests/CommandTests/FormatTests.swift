import AllocationTrace
import ArgumentParser
import Foundation
import Testing

@testable import tensor_pool

/// What all commands have in common.
@Suite struct FormatTests {
    static let all = [
        "gap", "compare", "demo", "replay", "convert", "plan", "analyze", "check-estimate", "report", "record",
        "main-job",
    ]
    /// Those that print figures, with what it takes to parse.
    static let printing = [
        ["gap"], ["compare"], ["demo"], ["replay", "x"], ["plan", "x"], ["analyze", "x"],
        ["check-estimate", "x"], ["main-job", "x"],
    ]

    @Test func allCommandsAreKnown() {
        let shown = TensorPoolCommand.configuration.subcommands.map { $0.configuration }.filter { $0.shouldDisplay }
        #expect(shown.map { $0.commandName } == Self.all)
    }

    @Test(arguments: FormatTests.printing, ["table", "json", "csv"])
    func everyFormatIsTaken(arguments: [String], format: String) throws {
        _ = try TensorPoolCommand.parseAsRoot(arguments + ["--format", format])
        #expect(throws: (any Error).self) { try TensorPoolCommand.parseAsRoot(arguments + ["--format", "xml"]) }
    }

    @Test(arguments: [
        ["gap", "--rounds", "1", "--budget", "0.001"], ["compare", "--rounds", "1"], ["demo", "--steps", "1"],
        ["replay", bundledTrace, "--touch", "none", "--rounds", "1", "--latency-rounds", "1"],
        ["replay", bundledTrace, "--touch", "none", "--rounds", "1", "--pools", "adaptive", "--turns", "1"],
    ])
    func commaSeparatedValuesHaveAHeaderAndFourCells(arguments: [String]) throws {
        let result = try BuiltCommand.run(arguments + ["--format", "csv"])
        #expect(result.status == 0, "\(result.errors)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.first == "section,item,figure,value")
        #expect(lines.count > 20)
        #expect(lines.allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count >= 4 })
        #expect(lines.contains { $0.hasPrefix("machine,,cores,") })
    }

    private struct Sample: Encodable {
        struct Inner: Encodable {
            let name: String
            let figure: [String: Double]
            let sizes: [Int]
        }

        let title = "one, \"two\""
        let isGood = true
        let nothing: Int? = nil
        let machine = ["cores": 2]
        let inner = [
            Inner(name: "a", figure: ["median": 1.5], sizes: [1, 2]), Inner(name: "b", figure: [:], sizes: []),
        ]
    }

    /// Every figure of the JSON is a row, and nothing else.
    @Test func rowsAreTheFiguresOfTheJSON() throws {
        #expect(
            try CommaSeparatedFigures(Sample()).text == """
                section,item,figure,value
                inner,1,figure.median,1.5
                inner,1,name,a
                inner.sizes,1.1,value,1
                inner.sizes,1.2,value,2
                inner,2,name,b
                ,,isGood,true
                machine,,cores,2
                ,,title,"one, ""two""\"
                """)
    }

    @Test(arguments: FormatTests.all)
    func helpHasAnExampleOfTheCommand(command: String) throws {
        let help = TensorPoolCommand.helpMessage(for: try subcommand(command), columns: 500)
        #expect(help.contains("Examples:\n  tensor-pool \(command)"))
        #expect(help.contains("Exit codes:"))
    }

    /// An example that the help breaks cannot be copied.
    @Test(arguments: FormatTests.all + [""])
    func examplesStandInALineOfATerminal(command: String) throws {
        func examples(columns: Int) throws -> [Substring] {
            let help =
                command.isEmpty
                ? TensorPoolCommand.helpMessage(columns: columns)
                : TensorPoolCommand.helpMessage(for: try subcommand(command), columns: columns)
            return help.split(separator: "\n", omittingEmptySubsequences: false)
                .drop { $0 != "Examples:" }.prefix { !$0.isEmpty }
        }
        let whole = try examples(columns: 500)
        #expect(whole.count > 1)
        #expect(try examples(columns: 80) == whole)
    }

    @Test func helpSaysWhatIsAnalysed() throws {
        let root = TensorPoolCommand.helpMessage(columns: 500)
        #expect(root.contains("'analyze' reads what a PyTorch profile, an RMM log or 'record' says"))
        let analyze = TensorPoolCommand.helpMessage(for: AnalyzeCommand.self, columns: 500)
        for category in SizeCategory.allCases { #expect(analyze.contains("\(category.rawValue) ")) }
    }

    @Test(arguments: FormatTests.printing.map { $0[0] })
    func helpHasTheKeys(command: String) throws {
        #expect(TensorPoolCommand.helpMessage(for: try subcommand(command)).contains("JSON keys:"))
    }

    @Test func helpHasExitCodes() {
        #expect(TensorPoolCommand.helpMessage().contains("Exit codes:"))
    }

    private func subcommand(_ name: String) throws -> any ParsableCommand.Type {
        try #require(TensorPoolCommand.configuration.subcommands.first { $0.configuration.commandName == name })
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func shellsCanCompleteEveryCommand(shell: String) throws {
        let result = try BuiltCommand.run(["--generate-completion-script", shell])
        #expect(result.status == 0)
        for command in Self.all { #expect(result.output.contains(command)) }
        #expect(result.output.contains("latency-rounds"))
    }

    @Test func progressTellsRateAndWhatIsLeft() {
        func line(_ done: Int, _ elapsed: Double) -> String {
            Progress.line("replaying", done, of: 1200, "round", elapsed: elapsed)
        }
        // Nothing can be said about the rate yet.
        #expect(line(0, 5) == "replaying: round 0 of 1,200")
        #expect(line(3, 0.5) == "replaying: round 3 of 1,200")
        #expect(line(300, 20) == "replaying: round 300 of 1,200, 15.0 a second, 25 %, 60 s left")
        #expect(line(1200, 80) == "replaying: round 1,200 of 1,200, 15.0 a second, 100 %, 0 s left")
    }

    @Test func planningTellsTheBestSoFar() {
        let state = PlanningProgress(
            algorithm: .exactSearch, stepCount: 24_000_000, duration: .seconds(10), bestByteCount: 3 << 20)
        #expect(
            PlanCommand.line(state, elapsed: 12, limit: 30)
                == "planning by exact-search: 3 MiB so far, 2,400,000 steps a second, 40 %, 18 s left at most")
        let first = PlanningProgress(algorithm: .firstFit, stepCount: 0, duration: .zero, bestByteCount: nil)
        #expect(PlanCommand.line(first, elapsed: 31, limit: 30) == "planning by first-fit: 100 %, 0 s left at most")
    }
}
