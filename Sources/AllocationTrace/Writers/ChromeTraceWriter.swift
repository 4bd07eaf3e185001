/// Writes a Chrome trace (JSON) with PyTorch's memory events and counters, which Perfetto and `chrome://tracing`
/// draw: live bytes after every event, and, where the trace has samples of its pool, live, cached and reserved bytes.
///
/// Times are nanoseconds, as microseconds with three decimals: of a trace without times, an event a microsecond.
enum ChromeTraceWriter {
    static func write(
        _ trace: AllocationTrace, to output: inout TraceOutput, report: ((Int) -> Void)?
    ) throws(TraceWriteError) {
        output.pending.append(#"{"schemaVersion":1,"displayTimeUnit":"ms","#)
        if trace.clock.epoch == .unix {
            output.pending.append(#""baseTimeNanoseconds":"#)
            output.pending.append(decimal: trace.clock.startNanoseconds)
            output.pending.append(UInt8(ascii: ","))
        }
        output.pending.append("\"traceEvents\":[\n")
        output.pending.append(#"{"ph":"M","name":"process_name","pid":1,"tid":0,"args":{"name":"trace"}}"#)
        for thread in trace.threads {
            append(thread, to: &output.pending)
            try output.writeIfFull()
        }
        let source = RecordedEvents(trace)
        var live = 0
        var nextSample = 0
        for index in trace.events.indices {
            var event = source[index]
            let byteCount = event.byteCount ?? 0
            live += event.kind == .allocate ? byteCount : -byteCount
            event.time = event.time ?? Int64(index) * 1000
            while nextSample < trace.samples.count, trace.samples[nextSample].time <= event.time ?? 0 {
                append(trace.samples[nextSample], to: &output.pending)
                nextSample += 1
                try output.writeIfFull()
            }
            append(event, live: live, to: &output.pending)
            try output.writeIfFull()
            if index & 0xffff == 0 { report?(index) }
        }
        for sample in trace.samples[nextSample...] {
            append(sample, to: &output.pending)
            try output.writeIfFull()
        }
        output.pending.append("\n]}\n")
    }

    private static func append(_ thread: TraceThread, to bytes: inout [UInt8]) {
        guard let name = thread.name else { return }
        bytes.append(",\n")
        bytes.append(#"{"ph":"M","name":"thread_name","pid":1,"tid":"#)
        bytes.append(decimal: thread.id)
        bytes.append(#","args":{"name":"#)
        bytes.append(json: name)
        bytes.append("}}")
    }

    private static func append(_ event: RecordedEvent, live: Int, to bytes: inout [UInt8]) {
        bytes.append(",\n")
        bytes.append(#"{"ph":"i","cat":"cpu_instant_event","s":"t","name":"[memory]","pid":1,"tid":"#)
        bytes.append(decimal: event.thread)
        append(time: event.time ?? 0, to: &bytes)
        bytes.append(#","args":{"Total Allocated":"#)
        bytes.append(decimal: live)
        bytes.append(event.kind == .allocate ? #","Bytes":"# : #","Bytes":-"#)
        bytes.append(decimal: event.byteCount ?? 0)
        bytes.append(#","Device Id":-1,"Device Type":0,"Addr":"#)
        bytes.append(decimal: event.address)
        if event.tensorID != 0 {
            bytes.append(#","Tensor Id":"#)
            bytes.append(decimal: event.tensorID)
        }
        bytes.append("}},\n")
        bytes.append(#"{"ph":"C","name":"live bytes","pid":1"#)
        append(time: event.time ?? 0, to: &bytes)
        bytes.append(#","args":{"live":"#)
        bytes.append(decimal: live)
        bytes.append("}}")
    }

    private static func append(_ sample: PoolSample, to bytes: inout [UInt8]) {
        bytes.append(",\n")
        bytes.append(#"{"ph":"C","name":"pool bytes","pid":1"#)
        append(time: sample.time, to: &bytes)
        bytes.append(#","args":{"live":"#)
        bytes.append(decimal: sample.liveBytes)
        bytes.append(#","cached":"#)
        bytes.append(decimal: sample.cachedBytes)
        bytes.append(#","reserved":"#)
        bytes.append(decimal: sample.reservedBytes)
        bytes.append("}}")
    }

    private static func append(time nanoseconds: Int64, to bytes: inout [UInt8]) {
        bytes.append(#","ts":"#)
        bytes.append(decimal: nanoseconds / 1000)
        bytes.append(UInt8(ascii: "."))
        bytes.append(decimal: nanoseconds % 1000, digits: 3)
    }
}
