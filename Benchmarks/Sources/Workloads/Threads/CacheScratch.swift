public import CMeasurement

extension ThreadJob where Element: ~Copyable {
    @inlinable static var scratchWrites: Int64 { 1000 }

    /// Each thread frees a block that the main thread allocated beside the others', and from then on allocates, writes
    /// and frees blocks of 8 bytes. Where two of them share a cache line, writing is slow.
    @inlinable func runCacheScratch() -> tpb_parallel_time {
        let blocks = unsafe ownMemory(Element.self, count: threads)
        for place in 0..<threads { unsafe (blocks + place).initialize(to: Element.allocate(8, from: source)) }
        return onThreads { index in
            unsafe (blocks + index).move().free(to: self.source)
            self.scratch(from: self.source)
        }
    }

    @inlinable @inline(never) func scratch(from source: borrowing Element.Source) {
        for _ in 0..<operations {
            let block = Element.allocate(8, from: source)
            unsafe tpb_write_often(block.address, Self.scratchWrites)
            block.free(to: source)
        }
    }
}
