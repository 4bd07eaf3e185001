import CMeasurement
import TensorPool
import Workloads

/// Measures one pool in this process. Prints "name value" lines.
@main struct PoolWorker {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 3 else { fail() }
        let command = PoolCommand(name: arguments[0], arguments: Array(arguments.dropFirst(2)))
        switch arguments[1] {
        case "standard": command.run { try TensorMemoryPool(HybridMemoryPool()) }
        case "optimized": command.run { try OptimizedTensorMemoryPool(HybridMemoryPool()) }
        case "adaptive": command.run { try AdaptiveTensorMemoryPool(HybridMemoryPool()) }
        default: fail()
        }
        flushOutput()
    }

    static func fail() -> Never {
        measurementFailed(
            """
            pool-worker trace POOL buffer|handle FILE none|page ROUNDS BUDGET_MS LATENCY_ROUNDS
            pool-worker pair POOL buffer|handle BUDGET_MS SIZE...
            pool-worker threads POOL buffer|handle WORKLOAD THREADS OPERATIONS
            pool-worker heap POOL buffer|handle SIZE...
            pool-worker metadata POOL buffer|handle COUNT SIZE
            pool-worker recorder POOL buffer|handle ROUNDS SIZE FILE.tptrace
            pool-worker plan POOL buffer|handle ROUNDS ALLOCATIONS SIZE
            pool-worker prewarm optimized buffer BYTES
            POOL is standard, optimized or adaptive, each with its default configuration.
            """)
    }
}
