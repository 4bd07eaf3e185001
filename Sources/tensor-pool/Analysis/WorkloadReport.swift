import AllocationTrace
import Foundation
import TensorPool

/// What `tensor-pool analyze --format json` prints. The keys are stable: later versions add keys and keep these.
struct WorkloadReport: Codable, Equatable, FigureOutput {
    let machine: MachineDescription
    /// The file as it was named.
    let file: String
    let format: String
    /// In plain words, what to do first.
    let findings: [Finding]
    let suggestion: PoolSuggestion
    let estimate: ReplayEstimate
    let analysis: TraceAnalysis

    /// Analyses a trace and measures the allocators on it.
    /// - Parameters:
    ///   - seconds: about how long the replays may take together.
    ///   - peers: allocators that are measured beside the pools, jemalloc and the system's malloc.
    init(
        _ file: TraceFile, touch: Touch, seconds: Double, peers: [PoolChoice], topSizes: Int, progress: Progress
    ) throws {
        defer { progress.finish() }
        machine = .current
        self.file = file.path
        format = file.format.rawValue
        let eventCount = file.trace.events.count
        analysis = TraceAnalysis(file.trace, topSizes: topSizes) {
            progress.show("analysing", $0, of: eventCount, "event")
        }
        let measurement = try ReplayEstimation(
            file.trace, touch: touch, seconds: seconds, peers: peers, progress: progress)
        try measurement.measurePools()
        let first = PoolSuggestion(analysis, measurement.estimate, memoryBytes: machine.memoryBytes)
        try measurement.measureSuggestion(first.configuration)
        estimate = measurement.estimate
        suggestion = first.judged(by: estimate)
        findings = FindingList(analysis: analysis, estimate: estimate, suggestion: suggestion).findings
    }
}
