import AllocationTrace

/// Where tensors lay and from when to when: rectangles of addresses by events.
///
/// Addresses count from the lowest, and stretches of more than a mebibyte in which no tensor ever lay are left out, so
/// that the parts of the address space that a pool uses stand next to each other. Columns, not objects: there are many.
struct AllocationMap: Codable, Equatable {
    /// Tensors drawn: the ones with most bytes times events, where there are too many for a page.
    static let maximumTensors = 12_000
    private static let widestGap: UInt = 1 << 20

    let tensorCount: Int
    /// What an address can be at the most.
    let byteCount: Int
    /// Places at which a stretch was left out.
    let seams: [Int]
    let addresses: [Int]
    let sizes: [Int]
    let starts: [Int]
    let ends: [Int]

    private struct Tensor {
        let address: UInt
        let byteCount: Int
        let start: Int
        var end: Int

        var area: Double { Double(byteCount) * Double(end - start) }
    }

    /// Collects tensors. Holds twice as many as are drawn at the most, and the live ones.
    struct Collector {
        private var live: [Tensor?]
        private var done: [Tensor] = []
        private var count = 0

        init(slotCount: Int) { live = [Tensor?](repeating: nil, count: slotCount) }

        mutating func allocate(_ event: TraceEvent, at index: Int, address: UInt) {
            count += 1
            live[Int(event.slot)] = Tensor(address: address, byteCount: event.byteCount, start: index, end: index)
        }

        mutating func free(_ event: TraceEvent, at index: Int) {
            guard var tensor = live[Int(event.slot)] else { return }
            live[Int(event.slot)] = nil
            tensor.end = index
            done.append(tensor)
            if done.count >= 2 * AllocationMap.maximumTensors { drop() }
        }

        private mutating func drop() {
            done.sort { $0.area > $1.area }
            done.removeLast(max(0, done.count - AllocationMap.maximumTensors))
        }

        /// The map; what is live lasts to the end.
        mutating func map(eventCount: Int) -> AllocationMap {
            for case var tensor? in live {
                tensor.end = eventCount
                done.append(tensor)
            }
            drop()
            return AllocationMap(done, count: count)
        }
    }

    private init(_ tensors: [Tensor], count: Int) {
        let sorted = tensors.sorted { ($0.address, $0.start) < ($1.address, $1.start) }
        var addresses: [Int] = []
        var seams: [Int] = []
        // The end of what was laid down so far, as an address and as a place on the map.
        var end: (address: UInt, place: Int)?
        for tensor in sorted {
            var last = end ?? (tensor.address, 0)
            if tensor.address > last.address, tensor.address - last.address > Self.widestGap {
                seams.append(last.place)
                last = (tensor.address, last.place)
            }
            // Before the end where tensors of different times overlap.
            let place = last.place + Int(tensor.address) - Int(last.address)
            addresses.append(place)
            let own = (address: tensor.address + UInt(tensor.byteCount), place: place + tensor.byteCount)
            end = own.address > last.address ? own : last
        }
        tensorCount = count
        byteCount = end?.place ?? 0
        self.seams = seams
        self.addresses = addresses
        sizes = sorted.map(\.byteCount)
        starts = sorted.map(\.start)
        ends = sorted.map(\.end)
    }
}
