/// A trace cut into windows where least is alive, with what is allocated in each.
struct TraceWindows {
    /// Allocations of about one size that live from one window to another, or within one.
    struct Group {
        /// The window that allocates them.
        let first: UInt32
        /// The window that frees them; the last of all where nobody does.
        let last: UInt32
        /// The number of bits of the size.
        let sizeClass: UInt8
        var allocations = 0
        var bytes = 0.0
        /// Allocations and frees.
        var events = 0
    }

    /// Shorter windows have hardly a whole activity in them.
    private static let leastEvents = 32
    private static let maximumWindows = 1024

    /// Where each window begins, and last where the last one ends.
    let boundaries: [Int]
    let groups: [Group]
    /// The highest size class and one.
    let sizeClassCount: Int

    var count: Int { boundaries.count - 1 }

    init(_ trace: AllocationTrace) {
        let wanted = min(max(1, trace.events.count / Self.leastEvents), Self.maximumWindows)
        boundaries = Self.cut(trace, into: wanted)
        groups = Self.group(trace, by: boundaries)
        sizeClassCount = (groups.map { Int($0.sizeClass) }.max() ?? 0) + 1
    }

    static func sizeClass(of byteCount: Int) -> UInt8 { UInt8(Int.bitWidth - byteCount.leadingZeroBitCount) }

    /// Even windows, each boundary moved to where the fewest bytes live in half a window around it: the seam between
    /// steps, where there are steps.
    private static func cut(_ trace: AllocationTrace, into count: Int) -> [Int] {
        let events = trace.events
        var boundaries = [0]
        var live = 0
        var best = (index: 0, live: Int.max)
        var part = 0
        for index in events.indices {
            // The stretch around boundary k is part k; the first and the last half window have none.
            let now = (2 * index * count / events.count + 1) / 2
            if now != part {
                if part > 0 { boundaries.append(best.index) }
                part = now
                best = (index, Int.max)
            }
            if live < best.live { best = (index, live) }
            live += events[index].kind == .allocate ? events[index].byteCount : -events[index].byteCount
        }
        if part > 0 && part < count { boundaries.append(best.index) }
        boundaries.append(events.count)
        return boundaries
    }

    private static func group(_ trace: AllocationTrace, by boundaries: [Int]) -> [Group] {
        struct Key: Hashable {
            let first: UInt32
            let last: UInt32
            let sizeClass: UInt8
        }
        var numbers: [Key: Int] = [:]
        var groups: [Group] = []
        func add(_ first: UInt32, _ last: UInt32, _ byteCount: Int, events: Int) {
            let key = Key(first: first, last: last, sizeClass: sizeClass(of: byteCount))
            let number = numbers[key] ?? groups.count
            if number == groups.count {
                numbers[key] = number
                groups.append(Group(first: first, last: last, sizeClass: key.sizeClass))
            }
            groups[number].allocations += 1
            groups[number].bytes += Double(byteCount)
            groups[number].events += events
        }
        var born = [UInt32](repeating: 0, count: trace.slotCount)
        var window: UInt32 = 0
        for index in trace.events.indices {
            while index >= boundaries[Int(window) + 1] { window += 1 }
            let event = trace.events[index]
            if event.kind == .allocate {
                born[Int(event.slot)] = window
            } else {
                add(born[Int(event.slot)], window, event.byteCount, events: 2)
            }
        }
        let last = UInt32(boundaries.count - 2)
        for event in trace.releases { add(born[Int(event.slot)], last, event.byteCount, events: 1) }
        return groups
    }
}
