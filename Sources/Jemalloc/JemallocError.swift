import CJemalloc

/// What jemalloc refused, with the key or function, the values involved and the error number.
public struct JemallocError: Error, Hashable, Sendable {
    /// What was tried.
    public enum Operation: Hashable, Sendable {
        /// Reading the value of a key.
        case read
        /// Writing a value, given as text, to a key.
        case write(String)
        /// Performing the action of a key.
        case call
        /// Finding a key by its name.
        case lookUp
        /// Allocating or resizing, with the size asked in bytes and the flags.
        case allocate(byteCount: Int, flags: AllocationFlags)
    }

    /// The full name of the control key, such as `arena.3.dirty_decay_ms`, or of the function, such as `mallocx`.
    public let key: String
    /// What was tried with it.
    public let operation: Operation
    /// The system's error number: `EINVAL`, `ENOENT`, `EPERM`, `ENOMEM`, `EAGAIN` or `EFAULT`.
    public let errno: Int32

    /// An error with all its parts.
    public init(key: String, operation: Operation, errno: Int32) {
        self.key = key
        self.operation = operation
        self.errno = errno
    }

    /// The refusal of an allocation function, out of line to keep the functions small.
    @usableFromInline
    @inline(never)
    static func refused(_ function: StaticString, byteCount: Int, flags: AllocationFlags) -> JemallocError {
        JemallocError(
            key: function.description, operation: .allocate(byteCount: byteCount, flags: flags),
            errno: byteCount > 0 ? ENOMEM : EINVAL)
    }
}

extension JemallocError: CustomStringConvertible {
    /// One sentence that says what was refused and why, and one that says what to do.
    public var description: String {
        "jemalloc refused \(attempt): \(errorName). \(advice)"
    }

    private var attempt: String {
        switch operation {
        case .read: "to read \(key)"
        case .write(let value): "to set \(key) to \(value)"
        case .call: "\(key)"
        case .lookUp: "the key \(key)"
        case .allocate(let byteCount, let flags): "\(key) of \(byteCount) bytes (\(flags))"
        }
    }

    /// The error number's name, or the number where jemalloc's manual does not name it.
    public var errorName: String {
        switch errno {
        case EINVAL: "EINVAL"
        case ENOENT: "ENOENT"
        case EPERM: "EPERM"
        case ENOMEM: "ENOMEM"
        case EAGAIN: "EAGAIN"
        case EFAULT: "EFAULT"
        default: "error \(errno)"
        }
    }

    /// What each number means is in jemalloc(3), "RETURN VALUES".
    private var advice: String {
        switch (operation, errno) {
        case (.allocate, EINVAL):
            "Ask for at least one byte."
        case (.allocate, _):
            "Ask for less, or free memory: no size class is this large, or the system gave no memory."
        case (.lookUp, _), (_, ENOENT):
            "Check the name and the index: this version and build of jemalloc has no such key, or nothing exists at "
                + "that index (statistics of a new arena appear with Statistics.refresh())."
        case (_, EINVAL):
            "Use the type that jemalloc's manual gives for this key, and a value within its range."
        case (_, EPERM):
            "Use the key as the manual says: some can only be read, some only written, some only called."
        case (_, EAGAIN):
            "Free memory or destroy arenas: jemalloc could not get memory, or all 4,095 arenas are in use."
        default:
            "Check that the arena or thread cache exists, is no longer in use where it is to go, that the value is "
                + "within its range, and that there are fewer than 4,094 thread caches."
        }
    }
}
