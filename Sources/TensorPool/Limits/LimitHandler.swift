internal import CThreadSlot
internal import Jemalloc

/// What the program wants to be asked when a limit is reached.
final class LimitHandler: Sendable {
    /// For the lock's sake: see `Lock`.
    private struct Handler: Sendable {
        let call: @Sendable (LimitReport) -> LimitResponse
    }

    private let handler: Lock<Handler?>
    /// The threads that are in the handler now.
    private let asking = Lock<Set<UInt>>([])

    init(_ handler: (@Sendable (LimitReport) -> LimitResponse)? = nil) {
        self.handler = Lock(handler.map { Handler(call: $0) })
    }

    /// How often it is asked in a row.
    static let maximumCalls = 8

    func set(_ new: (@Sendable (LimitReport) -> LimitResponse)?) {
        handler.withLock { $0 = new.map { Handler(call: $0) } }
    }

    var isSet: Bool { handler.withLock { $0 != nil } }

    /// Asks. Under no lock, so the handler may free and allocate; what it allocates itself does not ask it again.
    func ask(_ report: () -> LimitReport) -> LimitResponse {
        guard let handler = handler.withLock({ $0 }) else { return .fail }
        let thread = unsafe UInt(bitPattern: tensorpool_current_thread())
        guard asking.withLock({ $0.insert(thread).inserted }) else { return .fail }
        defer { asking.withLock { _ = $0.remove(thread) } }
        return handler.call(report())
    }
}
