/// For each place of a layout, those that may have held some of its bytes last when its turn comes.
///
/// The sequence repeats, so the predecessors of the first places are late ones of the sequence; a place whose bytes no
/// other shares is its own.
struct PlanPredecessors {
    /// All lists, one after the other.
    private(set) var list: [Int32] = []
    /// Where the list of each place begins; one more entry than places.
    private(set) var starts: [Int32] = [0]

    /// - Complexity: O(n log n) comparisons, and at most O(n^2) moves of 12 bytes in memory that is contiguous; a
    ///   list has about two entries.
    init(_ allocations: [StaticPlanLayout.Allocation]) {
        // Who held the bytes from each address on last; -1 for nobody.
        var addresses = [0]
        var holders: [Int32] = [-1]
        for isSecondRound in [false, true] {
            for (place, allocation) in allocations.enumerated() {
                let end = allocation.offset + allocation.byteCount
                let first = Self.segment(holding: allocation.offset, addresses)
                let last = Self.segment(holding: end - 1, addresses)
                if isSecondRound {
                    list.append(contentsOf: Set(holders[first...last]).filter { $0 >= 0 }.sorted())
                    starts.append(Int32(list.count))
                }
                var newAddresses = [allocation.offset]
                var newHolders = [Int32(place)]
                if addresses[first] < allocation.offset {
                    newAddresses.insert(addresses[first], at: 0)
                    newHolders.insert(holders[first], at: 0)
                }
                let isLastSegment = last + 1 == addresses.count
                if isLastSegment || addresses[last + 1] > end {
                    newAddresses.append(end)
                    newHolders.append(holders[last])
                }
                addresses.replaceSubrange(first...last, with: newAddresses)
                holders.replaceSubrange(first...last, with: newHolders)
            }
        }
    }

    /// The last segment that begins at or below an address.
    private static func segment(holding address: Int, _ addresses: [Int]) -> Int {
        var low = 0
        var high = addresses.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if addresses[middle] <= address { low = middle } else { high = middle }
        }
        return low
    }
}
