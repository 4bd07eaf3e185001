internal import CDebugging
internal import CThreadSlot

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Where in the program a tensor was allocated or freed.
public struct CodeLocation: Sendable, Hashable {
    /// The thread, by the system's number.
    public let threadID: UInt64
    /// The return addresses on its stack, innermost first; none without ``DebugOptions/capturesBacktraces``.
    public let frames: [UInt]

    /// Where the caller is. Cost: a system call, and with a stack some microseconds.
    static func current(_ options: DebugOptions) -> CodeLocation? {
        guard options.notesLocations else { return nil }
        return CodeLocation(
            threadID: tensorpool_thread_id(), frames: options.capturesBacktraces ? currentFrames() : [])
    }

    private static func currentFrames() -> [UInt] {
        unsafe withUnsafeTemporaryAllocation(
            of: UnsafeMutableRawPointer?.self, capacity: Int(tensorpool_place_frames)
        ) { frames in
            unsafe frames.initialize(repeating: nil)
            let count = unsafe tensorpool_stack(frames.baseAddress!, frames.count)
            return unsafe frames.prefix(count).map { UInt(bitPattern: $0) }
        }
    }

    /// The frames with their symbols, as the system has them; Swift's are mangled (`swift demangle` reads them).
    ///
    /// Cost: milliseconds.
    public func symbols() -> [String] {
        guard !frames.isEmpty else { return [] }
        let addresses = unsafe frames.map { unsafe UnsafeMutableRawPointer(bitPattern: $0) }
        guard let symbols = unsafe tensorpool_symbols(addresses, addresses.count) else {
            return frames.map { "0x" + String($0, radix: 16) }
        }
        defer { unsafe free(symbols) }
        return (0..<frames.count).map { index in
            guard let symbol = unsafe symbols[index] else { return "0x" + String(frames[index], radix: 16) }
            return unsafe String(cString: symbol)
        }
    }
}

extension CodeLocation: CustomStringConvertible {
    /// The thread, and a line a frame.
    public var description: String {
        (["thread \(threadID)"] + symbols().map { "    " + $0 }).joined(separator: "\n")
    }
}
