internal import AllocationTrace
package import PoolModel

/// What is fed with a fuzzer's bytes. Anything from outside may be refused; nothing may break.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// A trace file of the format of its name. A binary trace is read again with its check sums made right.
    case rmm, chrome, tptrace
    /// What a program under `tensor-pool record` leaves behind: it becomes a trace.
    case raw
    /// A planning problem, which is then planned and the plans checked.
    case minimalloc
    /// A trace file, gzip or not, of whatever format it starts like: analysed, and written in every format.
    case trace
    /// JSON of a plan, which is then executed.
    case plan
    /// JSON of a pool's configuration, of which a pool is then made and used.
    case configuration
    /// Settings by name, as an environment has them, and the words of `TENSOR_POOL_DEBUG`.
    case settings
    /// The kernel's files that tell of memory pressure.
    case pressure
    /// Operations on pools of every kind, beside a model.
    case operations

    /// Runs a target once. A broken promise is thrown, or traps.
    package func run(_ bytes: [UInt8]) throws(ModelFailure) {
        switch self {
        case .rmm: _ = try Self.readTrace(bytes, format: .rmm)
        case .chrome: _ = try Self.readTrace(bytes, format: .chrome)
        case .tptrace:
            _ = try Self.readTrace(bytes, format: .tptrace)
            if let mended = TraceCheckSums.mended(bytes) { _ = try Self.readTrace(mended, format: .tptrace) }
        case .raw: try Self.convertRecording(bytes)
        case .minimalloc: try Self.planProblem(bytes)
        case .trace: try Self.analyzeTrace(bytes)
        case .plan: try Self.executePlan(bytes)
        case .configuration: try Self.makePool(bytes)
        case .settings: try Self.readSettings(bytes)
        case .pressure: try Self.readPressure(bytes)
        case .operations: try Self.operate(bytes)
        }
    }
}
