/// Brackets a round: clock, page faults, resident peak.
@usableFromInline struct RoundMeasurement {
    private let start: ContinuousClock.Instant
    private let minorPageFaults: Int

    /// Starts. The clock is read last, so that it measures none of this.
    @usableFromInline init() {
        _ = ProcessMemory.resetResidentPeak()
        minorPageFaults = ProcessMemory.minorPageFaults
        start = ContinuousClock.now
    }

    /// Ends. The clock is read first.
    @usableFromInline func finish() -> ReplayRound {
        let duration = ContinuousClock.now - start
        let faults = ProcessMemory.minorPageFaults - minorPageFaults
        return ReplayRound(
            nanoseconds: Int(duration / .nanoseconds(1)), minorPageFaults: faults,
            residentPeakBytes: ProcessMemory.residentPeakBytes)
    }
}
