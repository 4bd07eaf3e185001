import CMeasurement
import Workloads

/// Measures what a Swift programmer would write without a pool, in a process without jemalloc.
@main struct SwiftWorker {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 3 else { fail() }
        print("malloc \(unsafe String(cString: tpb_malloc_origin()))")
        switch arguments[1] {
        case "raw": run(RawBlock.self, arguments)
        case "uninitialized-array": run(UninitializedArrayBlock.self, arguments)
        case "zeroed-array": run(ZeroedArrayBlock.self, arguments)
        default: fail()
        }
        flushOutput()
    }

    private static func run<Element: Block & ~Copyable>(_ block: Element.Type, _ arguments: [String])
    where Element.Source == Void {
        let numbers = arguments.map { Int($0) ?? 0 }
        switch arguments[0] {
        case "trace" where arguments.count == 8:
            TraceReplay<Element>(path: arguments[3], touches: arguments[4] == "page").run(
                rounds: numbers[5], budgetNanoseconds: Int64(numbers[6]) * 1_000_000, latencyRounds: numbers[7],
                making: {})
        case "pair" where arguments.count >= 4:
            HotPair<Element>.run(
                on: (), sizes: Array(numbers[3...]), budgetNanoseconds: Int64(numbers[2]) * 1_000_000)
        default: fail()
        }
    }

    private static func fail() -> Never {
        measurementFailed(
            """
            swift-worker trace KIND buffer FILE none|page ROUNDS BUDGET_MS LATENCY_ROUNDS
            swift-worker pair KIND BUDGET_MS SIZE...
            KIND is raw, uninitialized-array or zeroed-array.
            """)
    }
}
