import AllocationTrace
import Foundation
import Testing

@Suite struct ConvertCommandTests {
    private let profile = #"""
        {"traceEvents":[
        {"ph":"i","name":"[memory]","pid":7,"tid":1,"ts":1.5,"args":{"Bytes":64,"Addr":4096}},
        {"ph":"i","name":"[memory]","pid":7,"tid":1,"ts":2.5,"args":{"Bytes":8,"Addr":1,"Device Type":1}},
        {"ph":"i","name":"[memory]","pid":7,"tid":1,"ts":3.5,"args":{"Bytes":-64,"Addr":4096}}]}
        """#

    @Test(arguments: ["tptrace.gz", "json", "csv"])
    func convertsByName(name: String) throws {
        let folder = try TemporaryFolder()
        let output = folder.url.appending(path: "out.\(name)").path(percentEncoded: false)
        let result = try BuiltCommand.run(["convert", bundledTrace, output])
        #expect(result.status == 0)
        #expect(result.output == "")
        #expect(result.errors.contains("11,917 events written to"))
        let (original, converted) = (try TraceFile.read(bundledTrace), try TraceFile.read(output))
        #expect(converted.format == TraceFormat(writingTo: output))
        #expect(converted.trace.events == original.trace.events)
        #expect(converted.trace.times == original.trace.times)
        #expect(converted.trace.addresses == original.trace.addresses)
    }

    @Test func convertsStandardInputToStandardOutput() throws {
        let result = try BuiltCommand.run(["convert", "-", "-", "--to", "rmm"], input: profile)
        #expect(result.status == 0)
        #expect(
            result.output == """
                Thread,Time,Action,Pointer,Size,Stream
                1,00:00:00.000000,allocate,0x1000,64,0
                1,00:00:00.000002,free,0x1000,64,0

                """)
        #expect(result.errors.contains("standard input (chrome): 2 events written to standard output (rmm)"))
        #expect(result.errors.contains("odd: events of other devices, left out: 1"))
        let other = try BuiltCommand.run(["convert", "-", "-", "--to", "rmm", "--device-type", "1"], input: profile)
        #expect(other.output.contains("allocate,0x1,8,0"))
    }

    @Test(arguments: [
        (["convert", "x"], "Missing expected argument"),
        (["convert", "x", "y"], "The name 'y' says no format: end it in .csv, .json or .tptrace, or give --to."),
        (["convert", "x", "-"], "says no format"),
        (["convert", "x", "y", "--to", "minimalloc"], "--to is rmm, chrome or tptrace, not minimalloc."),
        (["convert", "x", "y", "--to", "z"], "'z' is invalid"),
    ])
    func wrongArgumentsExitWith64(arguments: [String], message: String) throws {
        let result = try BuiltCommand.run(arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(message))
    }

    @Test func failuresExitWith1AndLeaveTheOutputAsItWas() throws {
        let folder = try TemporaryFolder()
        let output = try folder.file(named: "out.csv", "as it was")
        let malformed = try folder.file(named: "bad.json", #"{"traceEvents":[{"ph":]}"#)
        for (input, message) in [(malformed, "bad.json: at byte 22: expected"), ("nonexistent", "No such file")] {
            let result = try BuiltCommand.run(["convert", input, output])
            #expect(result.status == 1)
            #expect(result.errors.contains(message))
        }
        let folderOutput = try BuiltCommand.run(["convert", bundledTrace, "/nonexistent/out.csv"])
        #expect(folderOutput.status == 1)
        #expect(folderOutput.errors.contains("/nonexistent/out.csv: cannot write the trace: No such file"))
        #expect(try String(contentsOfFile: output, encoding: .utf8) == "as it was")
    }

    @Test func helpHasExamplesAndExitCodes() throws {
        let help = try BuiltCommand.run(["convert", "--help"])
        #expect(help.status == 0)
        #expect(help.output.contains("Examples:"))
        #expect(help.output.contains("Exit codes:"))
    }

    /// Every format, and standard input even where another process measures.
    @Test(arguments: ["adaptive", "system"])
    func replayReadsEveryFormat(pool: String) throws {
        let folder = try TemporaryFolder()
        let replay = ["--pool", pool, "--touch", "none", "--rounds", "1", "--format", "json"]
        for name in ["a.tptrace", "a.json.gz"] {
            let file = folder.url.appending(path: name).path(percentEncoded: false)
            #expect(try BuiltCommand.run(["convert", bundledTrace, file]).status == 0)
            let result = try BuiltCommand.run(["replay", file] + replay)
            #expect(result.status == 0)
            #expect(result.output.contains(#""eventCount" : 11917"#))
        }
        let piped = try BuiltCommand.run(["replay", "-"] + replay, input: profile)
        #expect(piped.status == 0)
        #expect(piped.output.contains(#""eventCount" : 2"#))
        #expect(piped.output.contains(#""file" : "-""#))
        let empty = try BuiltCommand.run(["replay", "-"] + replay, input: "")
        #expect(empty.status == 1)
        #expect(empty.errors.contains("standard input: no trace of a known format"))
    }
}
