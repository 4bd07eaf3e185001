public import CMeasurement

/// Pairs of one allocation and its release in a row, of one size, untouched.
public struct HotPair<Element: Block & ~Copyable> {
    @usableFromInline static var chunks: Int { 7 }

    /// Measures each size, and prints the mean nanoseconds a pair for each of seven chunks.
    @inlinable public static func run(on source: Element.Source, sizes: [Int], budgetNanoseconds: Int64) {
        for byteCount in sizes {
            _ = chunk(of: 1, byteCount: byteCount, on: source)
            // Doubled until a chunk takes its share of the budget.
            var pairs = 1
            while pairs < 1 << 40,
                chunk(of: pairs, byteCount: byteCount, on: source) < budgetNanoseconds / Int64(chunks) / 2
            {
                pairs *= 2
            }
            for _ in 0..<chunks {
                let taken = chunk(of: pairs, byteCount: byteCount, on: source)
                print("pair \(byteCount) \(Double(taken) / Double(pairs))")
            }
        }
    }

    /// Processor time of so many pairs.
    @inlinable @inline(never)
    public static func chunk(of pairs: Int, byteCount: Int, on source: borrowing Element.Source) -> Int64 {
        let start = tpb_processor_nanoseconds()
        var index = 0
        while index < pairs {
            let block = Element.allocate(Int(tpb_opaque(Int64(byteCount))), from: source)
            unsafe tpb_use(block.address)
            block.free(to: source)
            index &+= 1
        }
        return tpb_processor_nanoseconds() - start
    }
}
