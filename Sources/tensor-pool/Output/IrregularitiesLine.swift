import AllocationTrace

extension TraceIrregularities {
    /// Each count, by its key in JSON.
    var counts: [(name: String, count: Int)] {
        [
            ("unmatchedFrees", unmatchedFrees), ("reusedLiveAddresses", reusedLiveAddresses),
            ("failedAllocations", failedAllocations), ("emptyAllocations", emptyAllocations),
            ("mismatchedSizes", mismatchedSizes), ("reorderedEvents", reorderedEvents), ("clockSteps", clockSteps),
            ("unreadableTimes", unreadableTimes), ("incompleteEvents", incompleteEvents),
            ("otherDeviceEvents", otherDeviceEvents), ("otherProcessEvents", otherProcessEvents),
            ("droppedEvents", droppedEvents), ("damagedChunks", damagedChunks),
        ]
    }

    /// What is odd in a trace, in words; nil where nothing is.
    var line: String? {
        let said = [
            (unmatchedFrees, "frees of nothing live, left out"),
            (reusedLiveAddresses, "addresses allocated while live, freed first"),
            (failedAllocations, "failed allocations, left out"),
            (emptyAllocations, "allocations of 0 bytes, left out"),
            (mismatchedSizes, "frees with another size than their allocation's"),
            (reorderedEvents, "events put in order of time"),
            (clockSteps, "times before the time before them"),
            (unreadableTimes, "times that cannot be read"),
            (incompleteEvents, "incomplete events, left out"),
            (otherDeviceEvents, "events of other devices, left out"),
            (otherProcessEvents, "events of other processes, left out"),
            (droppedEvents, "events that the recorder dropped"),
            (damagedChunks, "damaged places, passed over"),
        ]
        let found = said.filter { $0.0 > 0 }.map { "\($0.1): \(Figures.count($0.0))" }
        let lines = found + (isTruncated ? ["the file is cut off"] : [])
        return lines.isEmpty ? nil : lines.joined(separator: "; ")
    }
}
