/// Writes the CSV that RAPIDS RMM's `logging_resource_adaptor` writes, for tools that read it.
///
/// Times are times of the day with microseconds: of a trace without times, an event a microsecond. Names of threads
/// and ids of tensors have no place in it.
enum RMMTraceWriter {
    static func write(
        _ trace: AllocationTrace, to output: inout TraceOutput, report: ((Int) -> Void)?
    ) throws(TraceWriteError) {
        output.pending.append(RMMRow.header)
        output.pending.append(UInt8(ascii: "\n"))
        let source = RecordedEvents(trace)
        let start = trace.clock.epoch == .recording ? 0 : trace.clock.startNanoseconds
        let day = RMMTime.nanosecondsPerDay
        let startOfDay = (start % day + day) % day
        for index in trace.events.indices {
            let event = source[index]
            output.pending.append(decimal: event.thread)
            output.pending.append(UInt8(ascii: ","))
            let time = event.time ?? Int64(index) * 1000
            append(timeOfDay: (time % day + startOfDay) % day, to: &output.pending)
            output.pending.append(event.kind == .allocate ? ",allocate,0x" : ",free,0x")
            output.pending.append(hexadecimal: event.address)
            output.pending.append(UInt8(ascii: ","))
            output.pending.append(decimal: event.byteCount ?? 0)
            output.pending.append(",0\n")
            try output.writeIfFull()
            if index & 0xffff == 0 { report?(index) }
        }
    }

    private static func append(timeOfDay nanoseconds: Int64, to bytes: inout [UInt8]) {
        let microseconds = nanoseconds / 1000
        let seconds = microseconds / 1_000_000
        bytes.append(decimal: seconds / 3600, digits: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(decimal: seconds / 60 % 60, digits: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(decimal: seconds % 60, digits: 2)
        bytes.append(UInt8(ascii: "."))
        bytes.append(decimal: microseconds % 1_000_000, digits: 6)
    }
}
