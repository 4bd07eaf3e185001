/// The latencies of a replay's clocked rounds.
@usableFromInline final class LatencyRecording {
    /// One for each lane.
    let recorders: [LatencyRecorder]
    var rounds = 0
    /// When the latest round began that has a pace.
    var paceOrigin: UInt64?
    private let clockNanoseconds: UInt64
    private var takenNanoseconds: UInt64 = 0

    init(laneCount: Int) {
        let cost = ReplayClock.costNanoseconds
        clockNanoseconds = cost
        recorders = (0..<laneCount).map { _ in LatencyRecorder(clockNanoseconds: cost) }
    }

    var report: LatencyReport? {
        rounds == 0 ? nil : LatencyRecorder.report(recorders, rounds: rounds, clockNanoseconds: clockNanoseconds)
    }

    /// The sum of all latencies since it was last asked for.
    func takeBusyNanoseconds() -> Int {
        let sum = recorders.reduce(0) { $0 + $1.busyNanoseconds }
        defer { takenNanoseconds = sum }
        return Int(clamping: sum - takenNanoseconds)
    }
}
