public import CMeasurement

extension ThreadJob where Element: ~Copyable {
    /// Each thread allocates and frees by itself, a few sizes in turn.
    @inlinable func runIndependent() -> tpb_parallel_time {
        onThreads { _ in self.allocateIndependently(from: self.source) }
    }

    @inlinable @inline(never) func allocateIndependently(from source: borrowing Element.Source) {
        for operation in 0..<operations {
            let size =
                switch operation & 3 {
                case 0: 1 << 10
                case 1: 16 << 10
                case 2: 64 << 10
                default: 1 << 20
                }
            allocate(size, from: source).free(to: source)
        }
    }
}
