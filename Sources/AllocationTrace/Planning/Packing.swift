/// What is placed so far, and what that leaves.
struct Packing {
    var isPlaced: [Bool]
    /// Of a placed item its offset; of another the lowest place above all placed items that are alive with it.
    var lowest: [Int32]
    /// What each section still has to hold.
    var totals: [Int32]

    init(_ items: RankedItems) {
        isPlaced = [Bool](repeating: false, count: items.sizes.count)
        lowest = [Int32](repeating: 0, count: items.sizes.count)
        totals = [Int32](repeating: 0, count: items.memberStarts.count - 1)
        for item in items.sizes.indices {
            for section in items.sections(of: item) { totals[section] += items.sizes[item] }
        }
    }
}
