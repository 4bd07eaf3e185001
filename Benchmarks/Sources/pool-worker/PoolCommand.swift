import CMeasurement
import TensorPool
import Workloads

/// One measurement, to be made on a pool of whatever type.
struct PoolCommand {
    let name: String
    /// Starts with `buffer` or `handle`.
    let arguments: [String]

    func run<Pool: TensorAllocator>(_ make: () throws -> Pool) {
        let makePool = { () -> Pool in
            do {
                return try make()
            } catch {
                measurementFailed("\(error)")
            }
        }
        switch arguments[0] {
        case "buffer": run(BufferBlock<Pool>.self, makePool)
        case "handle": run(HandleBlock<Pool>.self, makePool)
        default: PoolWorker.fail()
        }
    }

    private func run<Element: Block & ~Copyable>(
        _ block: Element.Type, _ makePool: () -> Element.Source
    ) where Element.Source: TensorAllocator {
        let numbers = arguments.map { Int($0) ?? 0 }
        switch name {
        case "trace" where arguments.count == 6:
            TraceReplay<Element>(path: arguments[1], touches: arguments[2] == "page").run(
                rounds: numbers[3], budgetNanoseconds: Int64(numbers[4]) * 1_000_000, latencyRounds: numbers[5],
                making: makePool, finish: PoolMeasurements.printHitRates)
        case "pair" where arguments.count >= 3:
            HotPair<Element>.run(
                on: makePool(), sizes: Array(numbers[2...]), budgetNanoseconds: Int64(numbers[1]) * 1_000_000)
        case "threads" where arguments.count == 4:
            guard let workload = ThreadWorkload(rawValue: arguments[1]) else { PoolWorker.fail() }
            workload.run(block, threads: numbers[2], operations: numbers[3], making: makePool)
        case "heap" where arguments.count >= 2:
            PoolMeasurements.heapGuard(block, sizes: Array(numbers[1...]), on: makePool())
        case "metadata" where arguments.count == 3:
            PoolMeasurements.metadata(block, count: numbers[1], byteCount: numbers[2], on: makePool())
        case "recorder" where arguments.count == 4:
            PairComparisons.recorder(
                isHandle: arguments[0] == "handle", rounds: numbers[1], byteCount: numbers[2], pool: makePool(),
                path: arguments[3])
        case "plan" where arguments.count == 4:
            PairComparisons.plan(
                isHandle: arguments[0] == "handle", rounds: numbers[1], allocations: numbers[2],
                byteCount: numbers[3], pool: makePool())
        case "prewarm" where arguments.count == 2:
            PoolMeasurements.prewarm(byteCount: numbers[1])
        default: PoolWorker.fail()
        }
    }
}
