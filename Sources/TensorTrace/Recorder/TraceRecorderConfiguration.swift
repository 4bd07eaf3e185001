/// How much memory a ``TraceRecorder`` may use, and how often it writes.
public struct TraceRecorderConfiguration: Sendable, Hashable {
    /// Bytes of the buffer of each thread that records, 32 an event; rounded up to a power of two, 4 KiB to 1 GiB.
    public var bufferBytesPerThread = 1 << 20
    /// The most bytes of all these buffers. The events of threads that find no room are dropped, until others end.
    public var bufferByteLimit = 256 << 20
    /// The longest time that an event waits before it is handed to the system. More often where buffers fill up.
    public var flushInterval: Duration = .milliseconds(250)
    /// How long the exit of the process waits for the file at the most. Where that is not enough, a line on standard error
    /// says so.
    public var exitPatience: Duration = .seconds(2)

    /// 1 MiB a thread, 256 MiB in all, flushed four times a second.
    public init() {}

    func validated() throws(TraceRecorderError) -> TraceRecorderConfiguration {
        var valid = self
        guard (4 << 10...1 << 30).contains(bufferBytesPerThread) else {
            throw .invalidConfiguration(
                setting: "bufferBytesPerThread", value: "\(bufferBytesPerThread)",
                reason: "a thread's buffer has 4,096 to 1,073,741,824 bytes")
        }
        valid.bufferBytesPerThread = 1 << (Int.bitWidth - (bufferBytesPerThread - 1).leadingZeroBitCount)
        guard bufferByteLimit >= valid.bufferBytesPerThread else {
            throw .invalidConfiguration(
                setting: "bufferByteLimit", value: "\(bufferByteLimit)",
                reason: "one thread's buffer alone has \(valid.bufferBytesPerThread) bytes")
        }
        guard flushInterval >= .milliseconds(1), flushInterval <= .seconds(3600) else {
            throw .invalidConfiguration(
                setting: "flushInterval", value: "\(flushInterval)", reason: "it is a millisecond to an hour")
        }
        guard exitPatience >= .zero, exitPatience <= .seconds(3600) else {
            throw .invalidConfiguration(
                setting: "exitPatience", value: "\(exitPatience)", reason: "it is none to an hour")
        }
        return valid
    }
}
