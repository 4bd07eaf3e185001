import Testing

@testable import bench

@Suite("Figures")
struct FigureTests {
    @Test("compares neighbours where both ran as often, else medians")
    func ratios() {
        // Twice as slow throughout, on a machine that slows down by ten in between.
        let slow = Sampled(samples: [2, 20, 22])
        #expect(slow.ratio(to: Sampled(samples: [1, 10, 11])) == 2)
        #expect(slow.ratio(to: Sampled(samples: [10])) == 2)
        #expect(slow.ratio(to: Sampled()) == nil)
        #expect(slow.ratio(to: Sampled(samples: [0])) == nil)
    }

    @Test("means ratios geometrically")
    func mean() throws {
        #expect(try abs(#require([0.5, 2].geometricMean) - 1) < 1e-12)
        #expect([Double]().geometricMean == nil)
    }

    @Test("reads what workers print")
    func output() {
        let output = WorkerOutput("malloc /lib/libc.so.6\nround 1 2 3\nround 4 5 6\npair.p99.9 7.5\n")
        #expect(output.text("malloc") == "/lib/libc.so.6")
        #expect(output.numbers("round") == [[1, 2, 3], [4, 5, 6]])
        #expect(output.number("pair.p99.9") == 7.5)
        #expect(output.number("missing") == nil)
    }

    @Test("puts equal ratios equally far apart on an axis, with ticks inside")
    func scale() {
        let scale = LogScale([0.1, 10], start: 0, end: 200)
        let (low, middle, high) = (scale.place(0.1), scale.place(1), scale.place(10))
        #expect(abs((high - middle) - (middle - low)) < 1e-9)
        #expect(scale.ticks.contains(1))
        #expect(scale.ticks.allSatisfy { $0 >= scale.low && $0 <= scale.high })
    }

    @Test("keeps options apart from nonsense")
    func options() throws {
        func parse(_ arguments: [String]) -> Settings? {
            Settings(arguments: arguments, repository: "r", environment: ["TENSOR_POOL_TRACES": "own"])
        }
        let settings = try #require(parse(["--quick", "--suite", "pairs", "--repetitions", "9"]))
        #expect(settings.isQuick)
        #expect(settings.repetitions == 9)
        #expect(settings.suites == [.pairs])
        #expect(settings.traceFolders == ["r/Benchmarks/Traces", "own", "r/../shared/traces"])
        #expect(try #require(parse(["--traces", "t"])).traceFolders == ["t"])
        #expect(parse(["--repetitions", "0"]) == nil)
        #expect(parse(["--suite", "nothing"]) == nil)
        #expect(parse(["--output"]) == nil)
    }
}
