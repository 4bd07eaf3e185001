/// Which addresses live tensors have: finds two that overlap.
package struct ShadowMap: Sendable {
    private var starts: [UInt] = []
    private var ends: [UInt] = []

    package init() {}

    package var count: Int { starts.count }

    /// The first place whose start is not below `address`.
    private func place(_ address: UInt) -> Int {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] < address { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Adds a range; false where it overlaps one that is there.
    package mutating func insert(_ address: UInt, _ byteCount: Int) -> Bool {
        let place = place(address)
        let end = address + UInt(byteCount)
        if place < starts.count, starts[place] < end { return false }
        if place > 0, ends[place - 1] > address { return false }
        starts.insert(address, at: place)
        ends.insert(end, at: place)
        return true
    }

    /// Removes a range; false where it is not there.
    package mutating func remove(_ address: UInt, _ byteCount: Int) -> Bool {
        let place = place(address)
        guard place < starts.count, starts[place] == address, ends[place] == address + UInt(byteCount) else {
            return false
        }
        starts.remove(at: place)
        ends.remove(at: place)
        return true
    }
}
