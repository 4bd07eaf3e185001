/// The lowest offsets that unplaced items can have in any packing that a search can still come to.
///
/// Two rules raise them until nothing changes. An item that was passed over at its lowest place, or cannot lie there, has
/// to lie on another one that is still to be placed (else it could be moved down, and the packing is met elsewhere): so
/// it lies no lower than the lowest of their tops. And where of a section's unplaced items all but one are too high to
/// come first, for then the rest would not fit below the capacity, that one comes first, and the others lie above it.
///
/// An item that would end above the capacity ends the branch, so bounds stay below it.
///
/// Most rules hold from one step to the next, and for the same reason: for each item one that it can lie on is
/// remembered, for each section two that can come first. Only where these no longer do, others are looked for.
struct OffsetBounds {
    private var bounds: [Int32]
    /// For each item one that it could lie on last; itself at first.
    private var supports: [Int32]
    /// For each section two items that could come first; twice the same where only one could.
    private var firsts: [Int32]
    private var seconds: [Int32]
    private var trail: [(item: Int32, bound: Int32)] = []
    /// How often each section was the reason that a branch was left.
    private(set) var conflicts: [Int]

    init(_ items: RankedItems) {
        bounds = [Int32](repeating: 0, count: items.sizes.count)
        supports = bounds.indices.map { Int32($0) }
        firsts = [Int32](repeating: 0, count: items.memberStarts.count - 1)
        seconds = firsts
        conflicts = [Int](repeating: 0, count: firsts.count)
    }

    var mark: Int { trail.count }

    /// Takes back what was raised since the mark.
    mutating func restore(_ mark: Int) {
        while trail.count > mark {
            let change = trail.removeLast()
            bounds[Int(change.item)] = change.bound
        }
    }

    /// Whether the next item may be this one at its lowest place, in the order of offsets and ranks.
    func allow(_ offset: Int32, for item: Int, after last: (offset: Int32, rank: Int32)) -> Bool {
        offset >= bounds[item] && (offset > last.offset || (offset == last.offset && item > Int(last.rank)))
    }

    /// Raises the bounds of `open`, the unplaced items of a range of sections. How high the next item may be placed so
    /// that every section can still hold what is unplaced; nil where one cannot already.
    @inline(never)  // The search recurses: its frames must stay small.
    mutating func tighten(
        _ open: [Int32], sections: Range<Int>, after last: (offset: Int32, rank: Int32), of items: RankedItems,
        in packing: Packing
    ) -> Int32? {
        for rank in open where packing.lowest[Int(rank)] > bounds[Int(rank)] {
            trail.append((rank, bounds[Int(rank)]))
            bounds[Int(rank)] = packing.lowest[Int(rank)]
            if bounds[Int(rank)] > items.capacity - items.sizes[Int(rank)] { return nil }
        }
        while true {
            var isRaised = false
            let areSupported = Self.raiseUnsupported(
                open, after: last, of: items, in: packing, &bounds, &supports, &trail, isRaised: &isRaised)
            guard areSupported,
                let highest = raiseCrowded(sections, above: last.offset, of: items, in: packing, isRaised: &isRaised)
            else { return nil }
            if !isRaised { return highest }
        }
    }

    /// The first rule. False where an item has nothing left to lie on below the capacity.
    private static func raiseUnsupported(
        _ open: [Int32], after last: (offset: Int32, rank: Int32), of items: RankedItems, in packing: Packing,
        _ bounds: inout [Int32], _ supports: inout [Int32], _ trail: inout [(item: Int32, bound: Int32)],
        isRaised: inout Bool
    ) -> Bool {
        // Indices are items' own, from the same lists: checked where they were made. It is here that a search spends
        // its time.
        var bounds = bounds.mutableSpan
        var supports = supports.mutableSpan
        let (lowest, isPlaced) = (packing.lowest.span, packing.isPlaced.span)
        let (sizes, neighbours, starts) = (items.sizes.span, items.neighbours.span, items.neighbourStarts.span)
        for rank in open {
            let item = Int(rank)
            let (offset, own) = unsafe (lowest[unchecked: item], bounds[unchecked: item])
            let isPassedOver = offset < last.offset || (offset == last.offset && rank <= last.rank)
            guard isPassedOver || offset < own else { continue }
            let bound = max(own, last.offset)
            let known = unsafe Int(supports[unchecked: item])
            if known != item, unsafe !isPlaced[unchecked: known],
                unsafe max(bounds[unchecked: known], last.offset) + sizes[unchecked: known] <= bound
            {
                continue
            }
            var lowestTop = Int32.max
            for index in unsafe starts[unchecked: item]..<starts[unchecked: item + 1] {
                let other = unsafe neighbours[unchecked: index]
                if unsafe isPlaced[unchecked: Int(other)] { continue }
                let top = unsafe max(bounds[unchecked: Int(other)], last.offset) + sizes[unchecked: Int(other)]
                guard top < lowestTop else { continue }
                lowestTop = top
                unsafe supports[unchecked: item] = other
                if top <= bound { break }
            }
            if unsafe lowestTop > items.capacity - sizes[unchecked: item] { return false }
            if lowestTop > bound {
                trail.append((rank, own))
                unsafe bounds[unchecked: item] = lowestTop
                isRaised = true
            }
        }
        return true
    }

    /// The second rule. Nil where nothing can come first in a section, or something ends too high.
    private mutating func raiseCrowded(
        _ sections: Range<Int>, above lastOffset: Int32, of items: RankedItems, in packing: Packing,
        isRaised: inout Bool
    ) -> Int32? {
        var highest = Int32.max
        for section in sections where packing.totals[section] > 0 {
            let room = items.capacity - packing.totals[section]
            if lastOffset > room {
                conflicts[section] += 1
                return nil
            }
            highest = min(highest, room)
            let (first, second) = (Int(firsts[section]), Int(seconds[section]))
            if !packing.isPlaced[first] && bounds[first] <= room {
                // It is alone, or there is another one.
                if packing.totals[section] == items.sizes[first] { continue }
                if first != second && !packing.isPlaced[second] && bounds[second] <= room { continue }
            }
            guard let only = findFirst(in: section, room: room, of: items, in: packing) else { continue }
            if only < 0 {
                conflicts[section] += 1
                return nil
            }
            let top = max(bounds[only], lastOffset) + items.sizes[only]
            for index in items.memberStarts[section]..<items.memberStarts[section + 1] {
                let item = Int(items.members[index])
                if item != only && !packing.isPlaced[item] && bounds[item] < top {
                    trail.append((Int32(item), bounds[item]))
                    bounds[item] = top
                    isRaised = true
                    if top > items.capacity - items.sizes[item] { return nil }
                }
            }
        }
        return highest
    }

    /// The only item that can come first in a section, -1 where none can. Nil where several can: two of them are
    /// remembered.
    private mutating func findFirst(in section: Int, room: Int32, of items: RankedItems, in packing: Packing) -> Int? {
        var found = -1
        for index in items.memberStarts[section]..<items.memberStarts[section + 1] {
            let item = Int(items.members[index])
            if packing.isPlaced[item] || bounds[item] > room { continue }
            if found >= 0 {
                (firsts[section], seconds[section]) = (Int32(found), Int32(item))
                return nil
            }
            found = item
        }
        if found >= 0 { (firsts[section], seconds[section]) = (Int32(found), Int32(found)) }
        return found
    }
}
