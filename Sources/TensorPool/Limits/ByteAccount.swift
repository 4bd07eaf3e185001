internal import Synchronization

/// A limit on bytes and what is taken from it, exact under any number of threads; it may stand inside another one,
/// whose bytes it takes as well.
final class ByteAccount: Sendable {
    let scope: LimitScope
    let limit: Int
    let parent: ByteAccount?
    private let counter = Atomic<Int>(0)

    init(_ scope: LimitScope, limit: Int, parent: ByteAccount? = nil) {
        self.scope = scope
        self.limit = limit
        self.parent = parent
    }

    /// Bytes taken. Never more than the limit.
    var taken: Int { counter.load(ordering: .relaxed) }

    /// Takes bytes here and from all accounts around. False, and nothing taken, where one of them has too few.
    func take(_ byteCount: Int) -> Bool {
        var current = counter.load(ordering: .relaxed)
        while true {
            let (sum, overflow) = current.addingReportingOverflow(byteCount)
            guard !overflow, sum <= limit else { return false }
            // Acquiring: what a free gave back before this is really free.
            let (exchanged, original) = counter.weakCompareExchange(
                expected: current, desired: sum, successOrdering: .acquiring, failureOrdering: .relaxed)
            if exchanged { break }
            current = original
        }
        guard let parent, !parent.take(byteCount) else { return true }
        counter.subtract(byteCount, ordering: .releasing)
        return false
    }

    /// Gives bytes back, here and around.
    func give(_ byteCount: Int) {
        if byteCount == 0 { return }
        counter.subtract(byteCount, ordering: .releasing)
        parent?.give(byteCount)
    }

    /// The first of this account and those around it that has no room for so many bytes at this moment.
    func obstacle(to byteCount: Int) -> ByteAccount? {
        var account: ByteAccount? = self
        while let candidate = account {
            if candidate.limit - candidate.taken < byteCount { return candidate }
            account = candidate.parent
        }
        return nil
    }

    /// This account or the closest around it that has a limit; this one where none has.
    var closestLimited: ByteAccount {
        var account: ByteAccount? = self
        while let candidate = account {
            if candidate.limit < .max { return candidate }
            account = candidate.parent
        }
        return self
    }

    /// Whether this is an account or around it.
    func contains(_ other: ByteAccount) -> Bool {
        var account: ByteAccount? = other
        while let candidate = account {
            if candidate === self { return true }
            account = candidate.parent
        }
        return false
    }
}
