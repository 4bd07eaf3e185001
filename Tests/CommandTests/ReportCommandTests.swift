import AllocationTrace
import Foundation
import Testing

@testable import tensor_pool

@Suite struct ReportCommandTests {
    /// One page for all tests: it takes some seconds.
    private static let page = Result {
        let folder = try TemporaryFolder()
        let path = folder.url.appending(path: "report.html").path(percentEncoded: false)
        let result = try BuiltCommand.run([
            "report", bundledTrace, "-o", path, "--seconds", "0.1", "--touch", "none",
        ])
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output == "")
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    private static func figures(of html: String) throws -> ReportPage.Figures {
        let opening = try #require(html.range(of: #"<script type="application/json" id="figures">"#))
        let closing = try #require(html[opening.upperBound...].range(of: "</script>"))
        return try JSONDecoder().decode(
            ReportPage.Figures.self, from: Data(html[opening.upperBound..<closing.lowerBound].utf8))
    }

    @Test func thePageStandsAlone() throws {
        let html = try Self.page.get()
        for reference in ["src=", "href=", "http://", "https://", "@import", "url("] {
            #expect(!html.contains(reference), "\(reference)")
        }
        let figures = try Self.figures(of: html)
        #expect(figures.report.analysis.summary.eventCount == 11_917)
        #expect(figures.pools.map(\.pool) == PoolName.allCases)
        for pool in figures.pools {
            let curve = pool.curve
            // Live bytes are the trace's, whichever pool: the curve's last point is what the trace leaves.
            #expect(curve.liveBytes.last == figures.report.analysis.summary.liveAtEndBytes)
            #expect(curve.liveBytes.max() == figures.report.analysis.summary.peakLiveBytes)
            #expect(curve.events.first == 0)
            #expect(curve.events.last == 11_917)
            #expect(zip(curve.events, curve.events.dropFirst()).allSatisfy(<))
            for index in curve.events.indices {
                #expect(curve.reservedBytes[index] >= curve.liveBytes[index] + curve.cachedBytes[index])
            }
            let map = pool.map
            #expect(map.tensorCount == figures.report.analysis.summary.allocationCount)
            #expect(map.addresses.count == min(map.tensorCount, AllocationMap.maximumTensors))
            #expect(Self.overlaps(map) == 0)
        }
        let adaptive = try #require(figures.pools.first { $0.pool == .adaptive })
        #expect(adaptive.decisions.count == figures.report.analysis.sizes.mostBytes.count)
    }

    /// No two tensors may lie in one place at one time.
    private static func overlaps(_ map: AllocationMap) -> Int {
        let order = map.addresses.indices.sorted { map.starts[$0] < map.starts[$1] }
        var found = 0
        var live: [Int] = []
        for index in order {
            live.removeAll { map.ends[$0] <= map.starts[index] }
            found += live.count {
                map.addresses[$0] < map.addresses[index] + map.sizes[index]
                    && map.addresses[index] < map.addresses[$0] + map.sizes[$0]
            }
            live.append(index)
        }
        return found
    }

    @Test func namesFromOutsideStayText() throws {
        let folder = try TemporaryFolder()
        let path = try folder.file(
            named: "<script>alert(1)<script>.csv",
            "Thread,Time,Action,Pointer,Size,Stream\n1,0,allocate,0x1,100,0\n1,0,free,0x1,100,0\n")
        let output = folder.url.appending(path: "report.html").path(percentEncoded: false)
        let result = try BuiltCommand.run(["report", path, "-o", output, "--seconds", "0.1", "--touch", "none"])
        #expect(result.status == 0, "\(result.errors)")
        let html = try String(contentsOfFile: output, encoding: .utf8)
        #expect(!html.contains("<script>alert"))
        #expect(try Self.figures(of: html).report.file == path)
    }

    /// As the page writes a number of nanoseconds.
    private static func decimal(_ value: Double) -> String {
        value < 10
            ? String(format: "%.2f", value)
            : value < 100 ? String(format: "%.1f", value) : Figures.count(Int(value.rounded()))
    }

    /// As the page writes a number of bytes.
    private static func bytes(_ count: Int) -> String {
        for (unit, size) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1024)] where count >= size {
            let value = Double(count) / Double(size)
            var text = String(format: value < 10 ? "%.2f" : "%.1f", value)
            while text.last == "0" { text.removeLast() }
            return (text.last == "." ? String(text.dropLast()) : text) + " " + unit
        }
        return "\(count) B"
    }

    static let browser = ["chromium", "chromium-browser", "google-chrome"].lazy.flatMap { name in
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
    }.first { FileManager.default.isExecutableFile(atPath: $0) }

    /// The page as a browser has drawn it, which must have had nothing to complain about.
    private static func drawn(_ html: String) throws -> String {
        let folder = try TemporaryFolder()
        let path = try folder.file(named: "report.html", html)
        let profile = folder.url.appending(path: "profile").path(percentEncoded: false)
        let result = try BuiltCommand.run(
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0",
                "--user-data-dir=\(profile)", "--virtual-time-budget=5000", "--dump-dom", "file://\(path)",
            ], of: URL(filePath: try #require(Self.browser)))
        #expect(result.status == 0)
        let complaints = result.errors.split(separator: "\n").filter { $0.contains("CONSOLE") }
        #expect(complaints.isEmpty, "\(complaints)")
        #expect(result.output.contains(#"data-drawn="yes""#))
        return result.output
    }

    @Test(.enabled(if: browser != nil, "no Chromium is installed (apt install chromium)"))
    func plotsRunAlongEventsOrTime() throws {
        let html = try Self.page.get()
        let timeline = try #require(try Self.figures(of: html).timeline)
        #expect(timeline.events.last == 11_917)
        let choice = "const axis = document.querySelector('select.axis'); axis.value = 'time';"
        let page = try Self.drawn(
            html.replacing(
                "</body>", with: "<script>\(choice) axis.dispatchEvent(new Event('change'));</script></body>"))
        let nanoseconds = Double(try #require(timeline.nanoseconds.last))
        let (size, unit) = try #require([(1e9, "s"), (1e6, "ms")].first { nanoseconds >= $0.0 })
        let end = #" text-anchor="end">\#(Self.decimal(nanoseconds / size)) \#(unit)</text>"#
        #expect(page.ranges(of: end).count == 3, "\(end)")
        #expect(try Self.drawn(html).ranges(of: #" text-anchor="end">event 11,917</text>"#).count == 3)
    }

    @Test(.enabled(if: browser != nil, "no Chromium is installed (apt install chromium)"))
    func figuresOnThePageAreTheJSONs() throws {
        let html = try Self.page.get()
        let figures = try Self.figures(of: html)
        let page = try Self.drawn(html)
        for finding in figures.report.findings {
            #expect(page.contains(finding.text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")))
        }
        for subject in figures.report.estimate.subjects {
            let time = subject.processorNanosecondsPerEvent
            let cells = [
                subject.name, Self.decimal(time.median), Self.decimal(time.lowerQuartile),
                Self.decimal(time.upperQuartile), Figures.count(time.rounds), Self.decimal(subject.firstRound.median),
            ]
            #expect(page.contains(cells.map { "<td>\($0)</td>" }.joined()), "\(cells)")
        }
        for pool in figures.pools {
            let curve = try #require(page.firstRange(of: "<div data-pool=\"\(pool.pool.rawValue)\">")).upperBound
            for (key, values) in [
                ("live", pool.curve.liveBytes), ("reserved", pool.curve.reservedBytes),
            ] {
                let peak = try #require(values.max())
                let shown = page[curve...].firstRange(of: "data-peak=\"\(key)\">").map { page[$0.upperBound...] }
                #expect(try #require(shown).hasPrefix(Self.bytes(peak) + "<"), "\(key) of \(pool.pool)")
            }
            for decision in pool.decisions {
                #expect(page.contains("<td>\(Self.bytes(decision.byteCount))</td><td>\(decision.strategy)</td>"))
            }
        }
        for category in figures.report.analysis.sizes.categories {
            #expect(page.contains(">\(category.category.rawValue)</text>"))
            #expect(page.contains(">\(Figures.count(category.allocations))</text>"))
        }
        for size in figures.report.analysis.sizes.mostBytes {
            #expect(
                page.contains("<td>\(Figures.count(size.byteCount))</td><td>\(Figures.count(size.allocations))</td>"))
        }
        // What the canvas holds cannot be read here: the line under it says what was drawn.
        let map = try #require(figures.pools.first { $0.pool == figures.report.suggestion.pool }).map
        #expect(
            page.contains("\(Figures.count(map.addresses.count)) of \(Figures.count(map.tensorCount)) tensors drawn"))
    }
}
