public import CMeasurement

/// Blocks on their way from one thread to another: a ring that one writes and one reads.
///
/// Safe: a place is read only after the count of those written says so, and written only after it was read.
@safe @usableFromInline struct BlockRing<Element: Block & ~Copyable> {
    @inlinable static var places: Int { 1024 }

    /// How many were written, and eight words further, in another cache line, how many were read.
    @usableFromInline let counts: UnsafeMutablePointer<Int64>
    @usableFromInline let blocks: UnsafeMutablePointer<Element>

    @inlinable init() {
        unsafe counts = unsafe ownMemory(Int64.self, count: 16)
        unsafe blocks = unsafe ownMemory(Element.self, count: Self.places)
    }
}

extension ThreadJob where Element: ~Copyable {
    @inlinable static var batch: Int { 256 }

    /// Like xmalloc: half the threads allocate, the other half free. One thread alternates.
    @inlinable func runProducerConsumer() -> tpb_parallel_time {
        let rings = (0..<(threads + 1) / 2).map { _ in BlockRing<Element>() }
        return onThreads { index in
            let ring = rings[index / 2]
            if self.threads == 1 {
                self.alternate(ring, from: self.source)
            } else if index % 2 == 0 {
                self.produce(ring, from: self.source)
            } else {
                self.consume(ring, to: self.source)
            }
        }
    }

    @inlinable @inline(never) func produce(_ ring: BlockRing<Element>, from source: borrowing Element.Source) {
        let places = BlockRing<Element>.places
        let written = unsafe ring.counts
        let read = unsafe ring.counts + 8
        for operation in 0..<operations {
            let block = allocate(size(operation), from: source)
            var attempt: Int64 = 0
            while unsafe operation - Int(tpb_load_acquiring(read)) >= places {
                tpb_wait(attempt)
                attempt += 1
            }
            unsafe (ring.blocks + operation & (places - 1)).initialize(to: block)
            unsafe tpb_store_releasing(written, Int64(operation + 1))
        }
    }

    @inlinable @inline(never) func consume(_ ring: BlockRing<Element>, to source: borrowing Element.Source) {
        let places = BlockRing<Element>.places
        let written = unsafe ring.counts
        let read = unsafe ring.counts + 8
        for operation in 0..<operations {
            var attempt: Int64 = 0
            while unsafe Int(tpb_load_acquiring(written)) <= operation {
                tpb_wait(attempt)
                attempt += 1
            }
            let block = unsafe (ring.blocks + operation & (places - 1)).move()
            unsafe tpb_store_releasing(read, Int64(operation + 1))
            block.free(to: source)
        }
    }

    @inlinable @inline(never) func alternate(_ ring: BlockRing<Element>, from source: borrowing Element.Source) {
        let blocks = unsafe ring.blocks
        for operation in stride(from: 0, to: operations, by: Self.batch) {
            for place in 0..<Self.batch {
                unsafe (blocks + place).initialize(to: allocate(size(operation + place), from: source))
            }
            for place in 0..<Self.batch { unsafe (blocks + place).move().free(to: source) }
        }
    }
}
