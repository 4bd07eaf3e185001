/// The events of a trace as a recorder would have seen them: what writers write.
struct RecordedEvents {
    private let trace: AllocationTrace
    /// Where slots lie that have no recorded addresses.
    private let slotAddresses: [UInt64]

    init(_ trace: AllocationTrace) {
        self.trace = trace
        slotAddresses = trace.addresses.isEmpty ? Self.addresses(ofSlotsIn: trace) : []
    }

    subscript(index: Int) -> RecordedEvent {
        let event = trace.events[index]
        return RecordedEvent(
            kind: event.kind,
            address: trace.addresses.isEmpty ? slotAddresses[Int(event.slot)] : trace.addresses[index],
            byteCount: event.byteCount, thread: trace.threads[Int(event.thread)].id,
            time: trace.times.isEmpty ? nil : trace.times[index],
            tensorID: trace.tensorIDs.isEmpty ? 0 : trace.tensorIDs[index])
    }

    /// Addresses at which no two blocks overlap, each slot having room for its largest.
    private static func addresses(ofSlotsIn trace: AllocationTrace) -> [UInt64] {
        var largest = [Int](repeating: 0, count: trace.slotCount)
        for index in trace.events.indices {
            let event = trace.events[index]
            largest[Int(event.slot)] = max(largest[Int(event.slot)], event.byteCount)
        }
        var next: UInt64 = 0x1000
        return largest.map { byteCount in
            // No slot is above 2^57 bytes and there are below 2^32, so this may wrap around for a trace that no machine
            // could have recorded. Addresses of blocks alive at a time are distinct even then, by their slots.
            let address = next
            let (end, overflow) = next.addingReportingOverflow((UInt64(byteCount) + 4095) & ~4095)
            next = overflow || end >= 1 << 62 ? next + 64 : end
            return address
        }
    }
}
