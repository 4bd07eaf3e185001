import Foundation
import AllocationTrace

/// A trace written as the workers read it, so that parsing is in no measurement: see `PreparedTrace.h`.
struct PreparedTrace: Codable {
    let name: String
    /// The file for the workers.
    let path: String
    let summary: TraceSummary
    /// The length of the slab that the offline plan needs.
    let planBytes: Int

    /// Reads a recorded trace, plans it, and writes it.
    init(name: String, recorded: String, to path: String) throws {
        let trace = try TraceFile.read(recorded, options: TraceFile.Options(details: [])).trace
        let plan = OfflinePlan(trace)
        var bytes = Data()
        bytes.reserveCapacity(64 + trace.events.count * 24)
        for number in [
            0x3142_5054, trace.events.count, trace.releases.count, trace.slotCount, trace.summary.peakLiveBytes,
            plan.byteCount,
        ] {
            bytes.append(integer: Int64(number))
        }
        for event in trace.events + trace.releases {
            bytes.append(integer: Int64(event.byteCount))
            bytes.append(integer: event.slot)
            bytes.append(integer: UInt32(event.kind == .free ? 1 : 0))
        }
        for offset in plan.offsets { bytes.append(integer: offset) }
        try bytes.write(to: URL(filePath: path))
        self.name = name
        self.path = path
        summary = trace.summary
        planBytes = plan.byteCount
    }
}

extension Data {
    /// Appends an integer in the machine's own byte order: the file is read on the machine that wrote it.
    fileprivate mutating func append(integer value: some FixedWidthInteger) {
        var value = value
        // The bytes of the local, within the closure.
        unsafe Swift.withUnsafeBytes(of: &value) { unsafe append(contentsOf: $0) }
    }
}
