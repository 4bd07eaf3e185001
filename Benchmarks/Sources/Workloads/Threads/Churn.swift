public import CMeasurement

extension ThreadJob where Element: ~Copyable {
    @inlinable static var churnBlocks: Int { 512 }
    @inlinable static var churnShared: Int { 128 }

    /// Like mstress: each thread replaces random blocks of its own, and now and then trades one with the others.
    @inlinable func runChurn() -> tpb_parallel_time {
        let count = threads * Self.churnBlocks
        let blocks = unsafe ownMemory(Element.self, count: count)
        let shared = unsafe ownMemory(Element.self, count: Self.churnShared)
        // One lock a cache line.
        let locks = unsafe ownMemory(Int64.self, count: Self.churnShared * 8)
        for place in 0..<count { unsafe (blocks + place).initialize(to: Element.allocate(size(place), from: source)) }
        for place in 0..<Self.churnShared {
            unsafe (shared + place).initialize(to: Element.allocate(size(place), from: source))
        }
        let time = onThreads { index in
            unsafe self.churn(
                blocks + index * Self.churnBlocks, shared, locks, seed: UInt64(index), from: self.source)
        }
        for place in 0..<count { unsafe (blocks + place).move().free(to: source) }
        for place in 0..<Self.churnShared { unsafe (shared + place).move().free(to: source) }
        return time
    }

    @inlinable @inline(never)
    func churn(
        _ blocks: UnsafeMutablePointer<Element>, _ shared: UnsafeMutablePointer<Element>,
        _ locks: UnsafeMutablePointer<Int64>, seed: UInt64, from source: borrowing Element.Source
    ) {
        var random: UInt64 = 0x9E37_79B9_7F4A_7C15 + seed
        for _ in 0..<operations {
            let number = unsafe tpb_next_random(&random)
            let place = unsafe blocks + Int(number % UInt64(Self.churnBlocks))
            let byteCount = size(Int(number >> 32))
            if (number >> 56) % 4 == 0 {
                let other = Int((number >> 16) % UInt64(Self.churnShared))
                if unsafe tpb_try_lock(locks + other * 8) {
                    let block = unsafe (shared + other).move()
                    unsafe (shared + other).moveInitialize(from: place, count: 1)
                    unsafe place.initialize(to: block)
                    unsafe tpb_store_releasing(locks + other * 8, 0)
                }
            }
            unsafe place.move().free(to: source)
            unsafe place.initialize(to: allocate(byteCount, from: source))
        }
    }
}
