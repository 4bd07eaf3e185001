/// Brackets a round: page faults, resident peak.
@usableFromInline struct RoundMeasurement {
    @usableFromInline struct Usage {
        let minorPageFaults: Int
        let residentPeakBytes: Int
    }

    private let minorPageFaults: Int

    /// Starts.
    @usableFromInline init() {
        _ = ProcessMemory.resetResidentPeak()
        minorPageFaults = ProcessMemory.minorPageFaults
    }

    /// Ends.
    @usableFromInline func finish() -> Usage {
        let faults = ProcessMemory.minorPageFaults - minorPageFaults
        return Usage(minorPageFaults: faults, residentPeakBytes: ProcessMemory.residentPeakBytes)
    }
}
