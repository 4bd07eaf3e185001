#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A file descriptor that the kernel makes ready when work stalls on memory (Linux 5.2,
/// Documentation/accounting/psi.rst).
struct StallTrigger: ~Copyable {
    let descriptor: Int32
    /// The events of poll(2) that mean a stall.
    let events: Int16

    /// Two seconds: what processes without privileges may ask for.
    static let windowMicroseconds = 2_000_000

    /// Takes over a descriptor.
    init(descriptor: Int32, events: Int16) {
        self.descriptor = descriptor
        self.events = events
    }

    /// Asks to be told when some work stalled for a share of two seconds; nil where the kernel does not do it.
    init?(file: String = "/proc/pressure/memory", somePercent: Double) {
        #if os(Linux)
        let share = min(max(somePercent, 0.01), 100) / 100
        let request = "some \(Int(share * Double(Self.windowMicroseconds))) \(Self.windowMicroseconds)"
        let descriptor = unsafe open(file, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        // The kernel wants the zero at the end, too.
        let bytes = Array(request.utf8) + [0]
        guard unsafe write(descriptor, bytes, bytes.count) == bytes.count else {
            close(descriptor)
            return nil
        }
        self.init(descriptor: descriptor, events: Int16(POLLPRI))
        #else
        return nil
        #endif
    }

    deinit { close(descriptor) }
}
