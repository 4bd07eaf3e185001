/// Giving idle memory back in part.
extension ObservablePool {
    /// Gives idle memory back to the system until the pool reserves at most `byteCount` bytes, or nothing idle is left:
    /// free spans and shared blocks first, what threads keep for themselves only where those are not enough.
    ///
    /// A run of free memory goes back in one piece, so more than asked may go. 0 or less gives everything back.
    ///
    /// Cost: that of returning the pages, some 50 ns each. Threads may call it; others wait off their hot path.
    @discardableResult public func trim(to byteCount: Int) -> TrimResult {
        let engines = engines.all
        return TrimResult.measuring {
            let reserved = engines.reduce(0) { $0 + $1.reservedByteCount() }
            return engines.returnIdle(atLeast: reserved - max(0, byteCount))
        }
    }
}

extension [Engine] {
    /// Gives up idle memory of at least so many bytes, what is cheapest to miss first. Returns the bytes given up.
    func returnIdle(atLeast byteCount: Int) -> Int {
        var returned = 0
        for emptyingCaches in [false, true] {
            for engine in self {
                guard returned < byteCount else { break }
                returned += engine.returnIdle(atLeast: byteCount - returned, emptyingCaches: emptyingCaches)
            }
        }
        if returned > 0 { first?.base.purge() }
        return returned
    }
}
