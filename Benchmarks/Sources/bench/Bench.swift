import Foundation
import AllocationTrace

/// Runs every worker in turn, and reports.
@main struct Bench {
    static func main() {
        do {
            try run()
        } catch {
            fail("\(error)")
        }
    }

    private static func run() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "prepare", arguments.count == 3 {
            let trace = try PreparedTrace(name: arguments[1], recorded: arguments[1], to: arguments[2])
            print("the plan needs \(trace.planBytes) bytes for \(trace.summary.peakLiveBytes) live")
            return
        }
        if arguments.first == "render", arguments.count == 3 {
            var results = try JSONDecoder().decode(Results.self, from: Data(contentsOf: URL(filePath: arguments[1])))
            results.targets = Targets(results).all
            print(TerminalReport(results).text)
            try write(results, to: arguments[2])
            announce(arguments[2])
            return
        }
        // The executable lies in Benchmarks/.build/<platform>/release.
        let repository = Worker.folder.appending(path: "../../../..").standardizedFileURL.path
        guard
            let settings = Settings(
                arguments: arguments, repository: repository, environment: ProcessInfo.processInfo.environment)
        else { fail(Settings.usage) }

        let start = ContinuousClock.now
        // Written after each suite, so that a run that is stopped leaves what it had.
        let results = try measure(settings) { results in
            results.seconds = (ContinuousClock.now - start) / .seconds(1)
            results.targets = Targets(results).all
            try write(results, to: settings.outputFolder)
        }
        print(TerminalReport(results).text)
        announce(settings.outputFolder)
    }

    private static func measure(_ settings: Settings, afterEach save: (inout Results) throws -> Void) throws -> Results
    {
        let progress = Progress()
        defer { progress.clear() }
        let (peers, missing) = try Competitor.findPeers()
        var results = Results(
            machine: .current, settings: settings, competitors: [.floor] + peers + Competitor.pools + Competitor.swift,
            missingPeers: missing)
        results.loadBefore = MachineDescription.load
        let suites = settings.suites
        if suites.contains(.traces) {
            let folder = FileManager.default.temporaryDirectory.appending(path: "tensor-pool-bench-\(getpid())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            for (name, path) in TraceFolder.traces(in: settings.traceFolders) {
                progress.show("planning \(name)")
                results.traces.append(
                    try PreparedTrace(name: name, recorded: path, to: folder.appending(path: name).path))
            }
            results.traceRuns = try TraceSuite(
                settings: settings, traces: results.traces,
                competitors: results.competitors.filter { $0.kind != .swift || !settings.isQuick }
            ).run(progress)
            try save(&results)
        }
        if suites.contains(.pairs) {
            results.pairs = try PairSuite(settings: settings, competitors: results.competitors).run(progress)
            try save(&results)
        }
        if suites.contains(.threads) {
            // In a quick run each malloc as it comes, and the pools that keep memory.
            let competitors = results.competitors.filter { competitor in
                switch competitor.kind {
                case .peer: !settings.isQuick || competitor.environment.isEmpty
                case .pool: !settings.isQuick || competitor.name != "standard"
                case .floor, .swift: false
                }
            }
            results.threads = try ThreadSuite(settings: settings, competitors: competitors).run(progress)
            try save(&results)
        }
        if suites.contains(.pools) {
            results.pools = try PoolSuite(settings: settings).run(progress)
            try save(&results)
        }
        return results
    }

    private static func write(_ results: Results, to folder: String) throws {
        let folder = URL(filePath: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(results).write(to: folder.appending(path: "results.json"))
        try Data(HTMLReport(results).text.utf8).write(to: folder.appending(path: "report.html"))
    }

    private static func announce(_ folder: String) {
        let folder = URL(filePath: folder)
        for name in ["results.json", "report.html"] { print("written: \(folder.appending(path: name).path)") }
    }

    private static func fail(_ reason: String) -> Never {
        FileHandle.standardError.write(Data("bench: \(reason)\n".utf8))
        exit(2)
    }
}
