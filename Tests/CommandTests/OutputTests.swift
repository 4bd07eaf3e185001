import Foundation
import Testing

@testable import tensor_pool

@Suite struct OutputTests {
    @Test func tablesAlign() {
        var table = FigureTable([.text("pool"), .number("ns/pair"), .text("note")])
        #expect(table.text == "")
        table.append(["jemalloc", "36.5", "x"])
        table.append(["system", "1,992", ""])
        #expect(
            table.text == """
                pool      ns/pair  note
                --------  -------  ----
                jemalloc     36.5  x
                system      1,992
                """)
    }

    @Test func figuresAreReadable() {
        #expect(Figures.count(11_917) == "11,917")
        #expect(Figures.decimal(4.2149) == "4.21")
        #expect(Figures.decimal(36.54) == "36.5")
        #expect(Figures.decimal(1992.4) == "1,992")
        #expect(Figures.mebibytes(326_696_960) == "311.6")
        #expect(Figures.percent(0.207) == "20.7 %")
        #expect(Figures.size(64 << 10) == "64 KiB")
        #expect(Figures.size(1 << 20) == "1 MiB")
        #expect(Figures.size(1500) == "1,500 B")
        #expect(Figures.size(3 << 30) == "3 GiB")
        #expect(Figures.size(0) == "0 B")
    }

    @Test func theMachineIsDescribed() {
        let machine = MachineDescription.current
        #expect(machine.cores >= 1)
        #expect(machine.memoryBytes > 1 << 28)
        #expect([4096, 16_384, 65_536].contains(machine.pageBytes))
        #expect(machine.kernel.count > "Linux ".count)
        #expect(!machine.processor.isEmpty)
        #expect(machine.date.hasSuffix("Z"))
        if let setting = machine.transparentHugePages { #expect(["always", "madvise", "never"].contains(setting)) }
        #expect(machine.line.contains(machine.kernel))
    }

    /// Runs the command behind a piece of shell, in which "$0" "$@" stands for it.
    private func run(_ script: String, _ arguments: [String]) throws -> BuiltCommand.Result {
        let command = BuiltCommand.tensorPool.path(percentEncoded: false)
        return try BuiltCommand.run(["-c", script, command] + arguments, of: URL(filePath: "/bin/sh"))
    }

    private static let printing = [
        ["demo", "--steps", "1", "--format", "json"],
        ["replay", bundledTrace, "--touch", "none", "--rounds", "1", "--latency-rounds", "0"],
        // Its helper has SIGPIPE ignored, which makes a closed pipe an error.
        ["replay", bundledTrace, "--pool", "system", "--touch", "none", "--rounds", "1", "--latency-rounds", "0"],
    ]

    #if os(Linux)
    @Test(arguments: OutputTests.printing)
    func figuresThatAreLostAreAFailure(arguments: [String]) throws {
        let result = try run("\"$0\" \"$@\" > /dev/full", arguments)
        #expect(result.status == 1)
        #expect(result.errors == "Error: standard output: cannot write: No space left on device\n")
    }
    #endif

    @Test(arguments: OutputTests.printing)
    func nobodyReadingIsNoFailure(arguments: [String]) throws {
        let result = try run("{ sleep 0.2; \"$0\" \"$@\"; echo status $? >&2; } | true", arguments)
        #expect(result.errors == "status 0\n")
    }
}
