public import CMeasurement

extension ThreadJob where Element: ~Copyable {
    @inlinable static var independentWarmUp: Int { 1000 }

    /// Each thread allocates and frees by itself, a few sizes in turn, warm.
    @inlinable func runIndependent() -> tpb_parallel_time {
        onThreads(warmUp: { _ in self.allocateIndependently(Self.independentWarmUp, from: self.source) }) { _ in
            self.allocateIndependently(self.operations, from: self.source)
        }
    }

    @inlinable @inline(never)
    func allocateIndependently(_ operations: Int, from source: borrowing Element.Source) {
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
