internal import CDebugging
internal import CThreadSlot
internal import Jemalloc
internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A slab with its places, and what is known of each: the part of a ``StaticPlan`` that lives until its last tensor is
/// back.
///
/// One thread at a time, the *owner*, allocates; tensors end on any thread. Each place has a status byte. The owner
/// makes it live with a plain store, and the thread that ends the tensor makes it free with another, so a tensor costs
/// no atomic read-modify-write.
///
/// No two live tensors overlap, whatever order things happen in, because of one rule about a place that is *free* and
/// that the owner has passed: no tensor of an earlier place is live on its bytes. So, when a place's turn comes, looking
/// at its predecessors (``PlanPredecessors``) is enough. A place that is passed without being served is *skipped*: the
/// rule does not hold there, and who comes to it looks on at its predecessors.
@safe @usableFromInline final class PlanCore: @unchecked Sendable {
    enum Status {
        static let free: UInt8 = 0
        static let live: UInt8 = 1
        static let skipped: UInt8 = 2
    }

    @unsafe struct Place {
        let address: UnsafeMutableRawPointer
        let byteCount: Int
        let firstPredecessor: Int32
        let endPredecessor: Int32
        let category: Int
    }

    /// A thread that owns the plan or once did.
    @unsafe struct Session: ~Copyable {
        let thread: UnsafeMutableRawPointer
        /// Not 0 while the thread changes the plan.
        let inside = Atomic<UInt32>(0)
    }

    /// What only the owner reads and writes.
    struct OwnerState {
        /// The place whose turn it is.
        var cursor = 0
        /// How many unserved requests in a row were those that the sequence begins with.
        var matched = 0
        /// When each place was last looked at by `isFree`, by the number of that look.
        var visits: [UInt32]
        var visit: UInt32 = 0
        var path: [Int32] = []
    }

    let count: Int
    let slab: TensorBuffer
    /// Whether the slab's pool overwrites what is freed. Here the next tensor's place is, before it is handed out: what
    /// ends a tensor knows no more of the plan than its status byte.
    let isScrubbed: Bool
    /// Told apart from every engine's and every other plan's.
    @usableFromInline let serial: UInt64
    private let places: UnsafeMutablePointer<Place>
    private let predecessors: UnsafeMutablePointer<Int32>
    let statuses: UnsafeMutablePointer<Atomic<UInt8>>
    let records: UnsafeMutablePointer<BlockRecord>
    let counts = PlanCounts()
    /// Of the owner; null for a moment while another thread takes over.
    private let session: Atomic<UnsafeMutablePointer<Session>?>
    private let sessions = Lock(PlanSessions())
    /// The number of the plan's first place among all places of the process.
    @usableFromInline let firstNumber: UInt32

    /// In memory of its own: a stored property would be checked for exclusive access at each use.
    private let state: UnsafeMutablePointer<OwnerState>

    init(_ layout: StaticPlanLayout, slab: consuming TensorBuffer, firstNumber: UInt32) {
        self.firstNumber = firstNumber
        count = layout.allocations.count
        serial = 1 << 63 | Self.serials.add(1, ordering: .relaxed).newValue
        let base = unsafe slab.baseAddress
        isScrubbed = slab.kind.isScrubbed || slab.kind == .planned && PlanRegistry.isScrubbed(slab.engine)
        self.slab = slab
        let table = PlanPredecessors(layout.allocations)
        unsafe places = .allocate(capacity: count)
        unsafe statuses = .allocate(capacity: count)
        unsafe records = .allocate(capacity: count)
        unsafe predecessors = .allocate(capacity: table.list.count)
        for (index, predecessor) in table.list.enumerated() {
            unsafe (predecessors + index).initialize(to: predecessor)
        }
        for (index, allocation) in layout.allocations.enumerated() {
            let address = unsafe base + allocation.offset
            let place = unsafe Place(
                address: address, byteCount: allocation.byteCount, firstPredecessor: table.starts[index],
                endPredecessor: table.starts[index + 1],
                category: TensorSizeCategory(byteCount: allocation.byteCount).rawValue)
            unsafe (places + index).initialize(to: place)
            unsafe (statuses + index).initialize(to: Atomic(Status.free))
            unsafe (records + index).initialize(to: BlockRecord())
        }
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: OwnerState(visits: [UInt32](repeating: 0, count: count)))
        let first = unsafe sessions.withLock { unsafe $0.session(of: Self.currentThread) }
        unsafe session = Atomic(first)
    }

    deinit {
        unsafe state.deinitialize(count: 1).deallocate()
        unsafe places.deallocate()
        unsafe predecessors.deallocate()
        unsafe statuses.deinitialize(count: count).deallocate()
        unsafe records.deinitialize(count: count).deallocate()
    }

    private static let serials = Atomic<UInt64>(0)

    private static var currentThread: UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(tensorpool_current_thread())
    }

    func byteCount(of place: Int) -> Int { unsafe places[place].byteCount }
    func address(of place: Int) -> UnsafeMutableRawPointer { unsafe places[place].address }

    // MARK: - Ownership

    /// Runs `body` where the calling thread owns the plan; nil where another does.
    @inline(__always)
    private func asOwner<Result>(_ body: () -> Result) -> Result? {
        guard let mine = unsafe session.load(ordering: .acquiring), unsafe mine.pointee.thread == Self.currentThread
        else { return nil }
        unsafe mine.pointee.inside.store(1, ordering: .relaxed)
        tensorpool_order_store_before_load()
        defer { unsafe mine.pointee.inside.store(0, ordering: .releasing) }
        guard unsafe session.load(ordering: .acquiring) == mine else { return nil }
        return body()
    }

    /// Makes the calling thread the owner. Waits until the one before is out of the plan.
    func adopt() {
        if asOwner({}) != nil { return }
        sessions.withLock { sessions in
            let before = unsafe session.load(ordering: .acquiring)
            unsafe session.store(nil, ordering: .releasing)
            // After this, either the owner before sees that it is no more, or its mark is seen here.
            _ = tensorpool_barrier_all_threads()
            if let before = unsafe before {
                while unsafe before.pointee.inside.load(ordering: .acquiring) != 0 { sched_yield() }
            }
            unsafe session.store(sessions.session(of: Self.currentThread), ordering: .releasing)
        }
    }

    /// In a forked child: an owner that does not exist is not in the plan.
    func forgetDeadOwner() {
        guard let owner = unsafe session.load(ordering: .acquiring), unsafe owner.pointee.thread != Self.currentThread
        else { return }
        unsafe owner.pointee.inside.store(0, ordering: .relaxed)
    }

    // MARK: - Allocating

    /// The place for the next tensor of the sequence, live now. Nil where the request is not the one that was planned,
    /// where bytes of the place are still taken, or where another thread owns the plan.
    @usableFromInline @inline(never) func take(_ byteCount: Int) -> Int? {
        let taken = asOwner { () -> Int? in
            let place = unsafe state.pointee.cursor
            if unsafe places[place].byteCount == byteCount, isSurelyFree(place) {
                serve(place)
                return place
            }
            return takeElsewhere(byteCount)
        }
        if let taken { return taken }
        counts.otherThreads.add(1, ordering: .relaxed)
        return nil
    }

    /// Starts the sequence anew.
    func beginStep() {
        adopt()
        _ = asOwner {
            unsafe state.pointee.matched = 0
            if unsafe state.pointee.cursor > 0 { restart(at: 0) }
        }
    }

    @inline(__always) private func isSurelyFree(_ place: Int) -> Bool {
        let entry = unsafe places[place]
        for index in unsafe Int(entry.firstPredecessor)..<Int(entry.endPredecessor) {
            if unsafe statuses[Int(predecessors[index])].load(ordering: .acquiring) != Status.free { return false }
        }
        return true
    }

    @inline(__always) private func serve(_ place: Int) {
        unsafe statuses[place].store(Status.live, ordering: .relaxed)
        if isScrubbed { unsafe tensorpool_scrub(places[place].address, places[place].byteCount) }
        unsafe counts.noteServed(category: places[place].category)
        advance(to: place + 1)
    }

    @inline(__always) private func advance(to place: Int) {
        unsafe state.pointee.cursor = place
        if place == count {
            unsafe state.pointee.cursor = 0
            counts.steps.increment()
        }
    }

    // MARK: - Departures

    /// How many places the sequence may lack before a request is taken for one that it has too many.
    static let lookahead = 4
    /// How many requests in a row must be those that the sequence begins with to start it anew.
    static let prefixLength = 4

    @inline(never) private func takeElsewhere(_ byteCount: Int) -> Int? {
        let end = unsafe min(count, state.pointee.cursor + 1 + Self.lookahead)
        guard let place = unsafe (state.pointee.cursor..<end).first(where: { unsafe places[$0].byteCount == byteCount })
        else {
            noteUnknown(byteCount)
            return nil
        }
        if unsafe place > state.pointee.cursor { counts.departures.increment() }
        unsafe state.pointee.matched = 0
        unsafe skip(state.pointee.cursor..<place)
        unsafe state.pointee.cursor = place
        if isFree(place) {
            serve(place)
            return place
        }
        counts.lateFrees.increment()
        counts.fallbacks.increment()
        skip(place..<place + 1)
        advance(to: place + 1)
        return nil
    }

    /// A request that is not planned around here; maybe the sequence has begun again.
    private func noteUnknown(_ byteCount: Int) {
        counts.departures.increment()
        counts.fallbacks.increment()
        if unsafe places[state.pointee.matched].byteCount == byteCount {
            unsafe state.pointee.matched += 1
        } else {
            unsafe state.pointee.matched = unsafe places[0].byteCount == byteCount ? 1 : 0
        }
        if unsafe state.pointee.matched == min(Self.prefixLength, count) {
            unsafe restart(at: state.pointee.matched % count)
            unsafe state.pointee.matched = 0
        }
    }

    /// Goes on at `place` of a new round; what is between was not asked for.
    private func restart(at place: Int) {
        unsafe skip(state.pointee.cursor..<count)
        skip(0..<place)
        unsafe state.pointee.cursor = place
        counts.steps.increment()
    }

    /// Marks places that are passed without being served. A live one says enough as it is.
    private func skip(_ passed: Range<Int>) {
        for place in passed where unsafe statuses[place].load(ordering: .acquiring) == Status.free {
            unsafe statuses[place].store(Status.skipped, ordering: .relaxed)
        }
    }

    /// Whether no live tensor is on a place's bytes, looking on below places that were skipped. Where that showed the
    /// skipped ones to be free altogether, it marks them so.
    private func isFree(_ place: Int) -> Bool {
        unsafe state.pointee.visit &+= 1
        if unsafe state.pointee.visit == 0 {
            unsafe state.pointee.visits = [UInt32](repeating: 0, count: count)
            unsafe state.pointee.visit = 1
        }
        unsafe state.pointee.path.removeAll(keepingCapacity: true)
        var isWholePathFree = true
        var next = 0
        var current = place
        while true {
            let entry = unsafe places[current]
            for index in unsafe Int(entry.firstPredecessor)..<Int(entry.endPredecessor) {
                let predecessor = unsafe predecessors[index]
                let status = unsafe statuses[Int(predecessor)].load(ordering: .acquiring)
                if unsafe status == Status.free || state.pointee.visits[Int(predecessor)] == state.pointee.visit {
                    continue
                }
                guard sharesBytes(Int(predecessor), place) else {
                    isWholePathFree = false
                    continue
                }
                if status == Status.live { return false }
                unsafe state.pointee.visits[Int(predecessor)] = unsafe state.pointee.visit
                unsafe state.pointee.path.append(predecessor)
            }
            if unsafe next == state.pointee.path.count { break }
            current = unsafe Int(state.pointee.path[next])
            next += 1
        }
        if isWholePathFree {
            for skipped in unsafe state.pointee.path {
                unsafe statuses[Int(skipped)].store(Status.free, ordering: .relaxed)
            }
        }
        return true
    }

    private func sharesBytes(_ first: Int, _ second: Int) -> Bool {
        let (one, other) = unsafe (places[first], places[second])
        return unsafe one.address < other.address + other.byteCount && other.address < one.address + one.byteCount
    }
}
