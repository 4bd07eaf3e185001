/// A piece of a problem that can be planned alone: no item of it is alive together with one of another piece.
///
/// Items are numbered from 0 within the part. Sizes are in units of the plan's alignment, so that every offset is a
/// multiple of it. Time is cut into *sections*: the moments at which no further item can be added to those alive, which
/// is where memory can run out.
struct PlanningPart {
    /// The items' places in the problem, by their number here.
    let places: [Int]
    /// In units.
    let sizes: [Int]
    /// How long each item is alive, in the problem's unit of time.
    let lifetimes: [Int]
    /// The first section of each item.
    let firstSections: [Int]
    /// The section after the last one of each item.
    let endSections: [Int]
    /// How many sections there are.
    let sectionCount: Int
    /// The most units alive at one time.
    let lowerBound: Int

    var itemCount: Int { places.count }

    /// How many sections an item is alive in.
    func sectionSpan(_ item: Int) -> Int { endSections[item] - firstSections[item] }
}

extension PlanningPart {
    /// The parts of a problem, in time order.
    ///
    /// - Complexity: O(n log n).
    static func parts(of problem: PlanningProblem, unit: Int) -> [PlanningPart] {
        let items = problem.items
        var events: [(time: Int, isAllocation: Bool, place: Int)] = []
        events.reserveCapacity(2 * items.count)
        for (place, item) in items.enumerated() {
            events.append((item.lower, true, place))
            events.append((item.upper, false, place))
        }
        // Of one moment, frees come first: lifetimes are half-open.
        events.sort {
            if $0.time != $1.time { return $0.time < $1.time }
            if $0.isAllocation != $1.isAllocation { return !$0.isAllocation }
            return $0.place < $1.place
        }
        var parts: [PlanningPart] = []
        var builder = Builder()
        var numbers = [Int](repeating: 0, count: items.count)
        for event in events {
            if event.isAllocation {
                let bytes = items[event.place].byteCount
                let (lifetime, overflow) = items[event.place].upper.subtractingReportingOverflow(
                    items[event.place].lower)
                numbers[event.place] = builder.allocate(
                    event.place, size: bytes / unit + (bytes % unit > 0 ? 1 : 0),
                    lifetime: overflow ? .max : lifetime)
            } else {
                builder.free(numbers[event.place])
                if builder.liveCount == 0 {
                    parts.append(builder.finish())
                    builder = Builder()
                }
            }
        }
        return parts
    }

    private struct Builder {
        private var places: [Int] = []
        private var sizes: [Int] = []
        private var lifetimes: [Int] = []
        private var firstSections: [Int] = []
        private var endSections: [Int] = []
        private var sectionCount = 0
        private var lastWasAllocation = false
        private var live = 0
        private var peak = 0
        private(set) var liveCount = 0

        mutating func allocate(_ place: Int, size: Int, lifetime: Int) -> Int {
            places.append(place)
            sizes.append(size)
            lifetimes.append(lifetime)
            firstSections.append(sectionCount)
            endSections.append(sectionCount)
            live += size
            liveCount += 1
            peak = max(peak, live)
            lastWasAllocation = true
            return places.count - 1
        }

        mutating func free(_ number: Int) {
            if lastWasAllocation { sectionCount += 1 }
            lastWasAllocation = false
            endSections[number] = sectionCount
            live -= sizes[number]
            liveCount -= 1
        }

        func finish() -> PlanningPart {
            PlanningPart(
                places: places, sizes: sizes, lifetimes: lifetimes, firstSections: firstSections,
                endSections: endSections,
                sectionCount: sectionCount, lowerBound: peak)
        }
    }
}
