internal import Jemalloc

/// One scope's budget: an account of live bytes, and what is asked when it runs out.
final class Budget: Sendable {
    let account: ByteAccount
    /// The handles that scopes nested in each other gave out, with the account that paid: one list for all of them, so
    /// that each can free what another allocated.
    let handles: HandleList
    /// Frees the buffers that count in this budget.
    let observer: BufferObserver
    private let parent: Budget?
    private let handler: LimitHandler

    final class HandleList: Sendable {
        private let payers = Lock<[MemoryHandle: ByteAccount]>([:])

        func add(_ handle: MemoryHandle, paidBy account: ByteAccount) { payers.withLock { $0[handle] = account } }

        func remove(_ handle: MemoryHandle) -> ByteAccount? { payers.withLock { $0.removeValue(forKey: handle) } }
    }

    init(byteLimit: Int, parent: Budget?, onLimitReached: (@Sendable (LimitReport) -> LimitResponse)?) {
        let account = ByteAccount(.budget, limit: byteLimit, parent: parent?.account)
        self.account = account
        observer = BudgetObserver(account)
        handles = parent?.handles ?? HandleList()
        self.parent = parent
        handler = LimitHandler(onLimitReached)
    }

    /// Takes bytes from this budget and those around it, before they are used.
    func take(_ byteCount: Int) throws(TensorPoolError) { try take(byteCount, from: account) }

    /// Takes bytes from an account of this budget or of one nested with it.
    func take(_ byteCount: Int, from account: ByteAccount) throws(TensorPoolError) {
        // What no pool serves is the pool's to refuse.
        guard byteCount > 0 else { return }
        for _ in 0..<LimitHandler.maximumCalls {
            if account.take(byteCount) { return }
            guard ask(byteCount, of: account) == .retry else { break }
        }
        if !account.take(byteCount) { throw .limitReached(report(byteCount, of: account)) }
    }

    /// Asks this scope's handler, then those of the scopes around it.
    private func ask(_ byteCount: Int, of account: ByteAccount) -> LimitResponse {
        var budget: Budget? = self
        while let asked = budget {
            if asked.handler.ask({ report(byteCount, of: account) }) == .retry { return .retry }
            budget = asked.parent
        }
        return .fail
    }

    private func report(_ byteCount: Int, of account: ByteAccount) -> LimitReport {
        let obstacle = account.obstacle(to: byteCount) ?? account
        let taken = obstacle.taken
        let whose = obstacle === account ? "the budget" : "the budget of an enclosing scope"
        let advice =
            byteCount > obstacle.limit
            ? "the tensor alone is larger than \(whose): give it at least \(byteCount) bytes"
            : "live tensors leave \(obstacle.limit - taken) bytes of \(whose): free some, or make it larger"
        return LimitReport(
            scope: .budget, requested: byteCount, needed: byteCount, limit: obstacle.limit, reserved: taken,
            live: taken,
            cached: 0, advice: advice)
    }
}

/// Takes a budget's buffers back.
private final class BudgetObserver: BufferObserver, @unchecked Sendable {
    private let account: ByteAccount

    init(_ account: ByteAccount) { self.account = account }

    override func end(_ buffer: consuming TensorBuffer) {
        let byteCount = buffer.byteCount
        // First: were the bytes given back before, another thread could take them while the tensor still lives.
        _ = consume buffer
        account.give(byteCount)
    }
}
