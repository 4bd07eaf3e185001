public import CMeasurement

extension ThreadJob where Element: ~Copyable {
    @inlinable static var serverBlocks: Int { 1000 }
    @inlinable static var serverGenerations: Int { 8 }

    /// Like larson: threads replace random blocks of a table, end, and new threads go on with another's table.
    @inlinable func runServer() -> tpb_parallel_time {
        let count = threads * Self.serverBlocks
        let blocks = unsafe ownMemory(Element.self, count: count)
        for place in 0..<count { unsafe (blocks + place).initialize(to: Element.allocate(size(place), from: source)) }
        var time = tpb_parallel_time()
        for generation in 0..<Self.serverGenerations {
            let owners = threads
            let part = onThreads { index in
                let owner = (index + generation) % owners
                unsafe self.serve(
                    blocks + owner * Self.serverBlocks, seed: UInt64(owner + generation * 64), from: self.source)
            }
            time.wall_nanoseconds += part.wall_nanoseconds
            time.processor_nanoseconds += part.processor_nanoseconds
        }
        for place in 0..<count { unsafe (blocks + place).move().free(to: source) }
        return time
    }

    @inlinable @inline(never)
    func serve(_ blocks: UnsafeMutablePointer<Element>, seed: UInt64, from source: borrowing Element.Source) {
        var random: UInt64 = 0x2545_F491_4F6C_DD1D + seed
        for _ in 0..<operations / Self.serverGenerations {
            let number = unsafe tpb_next_random(&random)
            let place = unsafe blocks + Int(number % UInt64(Self.serverBlocks))
            let byteCount = size(Int(number >> 32))
            unsafe place.move().free(to: source)
            unsafe place.initialize(to: allocate(byteCount, from: source))
        }
    }
}
