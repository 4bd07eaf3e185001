internal import Jemalloc

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Who is told what debugging modes find.
final class FindingHandler: Sendable {
    /// For the lock's sake: see `Lock`.
    private struct Handler: Sendable {
        let call: @Sendable (DebugFinding) -> Void
    }

    private let handler = Lock<Handler?>(nil)

    func set(_ new: (@Sendable (DebugFinding) -> Void)?) { handler.withLock { $0 = new.map { Handler(call: $0) } } }

    /// Tells the program, or, where it does not want to be told, standard error; damage then ends the program. No lock
    /// may be held.
    func report(_ finding: DebugFinding) {
        if let handler = handler.withLock({ $0 }) {
            handler.call(finding)
        } else if finding.isDamage {
            fatalError(finding.description)
        } else {
            Self.print(finding.description + "\n")
        }
    }

    static func print(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while unsafe !rest.isEmpty {
                let written = unsafe write(2, rest.baseAddress, rest.count)
                if written <= 0 { return }
                unsafe rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }
    }
}

extension HybridMemoryPool {
    /// Sets who is told what the debugging modes of this base and of the pools on it find; nil for nobody: damage then
    /// ends the program with a message on standard error, and anything else is printed there.
    ///
    /// Called by the thread that frees, drops or trims when the mistake is found, under no lock; it may use the pools.
    /// A handler that returns lets the program go on. Threads may set it at any time.
    public func setFindingHandler(_ handler: (@Sendable (DebugFinding) -> Void)?) {
        memory.shared.findings.set(handler)
    }
}
