internal import CDebugging
internal import Jemalloc
internal import Synchronization

/// What watches over the tensors of an engine in a debugging mode. The engine's lock guards it, but for the draw.
///
/// A watched tensor does not come from the caches, the depot or the heap: its memory is got from the arena, or mapped,
/// with what stands around it, and given back when the quarantine is full. So nothing of the engine's own paths knows of
/// it, and a pool without debugging modes pays a look at a null reference on its slow paths.
@safe final class Guards: @unchecked Sendable {
    let options: DebugOptions
    /// Whether what is not watched is overwritten when it is freed.
    let scrubs: Bool
    private var live: [UInt: GuardedTensor] = [:]
    private var quarantine = Quarantine()
    private var history = FreeHistory()
    private var findings: [DebugFinding] = []
    /// Allocations until the next one that gets guard pages. Plain loads and stores: where threads lose some, the share
    /// is a little smaller.
    private let countdown = Atomic<Int>(0)

    init(_ options: DebugOptions, scrubs: Bool) {
        self.options = options
        self.scrubs = scrubs
        if let interval = options.guardPageInterval { countdown.store(Self.draw(interval), ordering: .relaxed) }
        if options.explainsFaults { _ = tensorpool_handle_faults() }
        // The first stack of a process loads a library.
        if options.capturesBacktraces { _ = CodeLocation.current(options) }
    }

    /// Freed bytes that are kept back.
    var quarantinedByteCount: Int { quarantine.byteCount }

    // MARK: - Which tensors

    /// What a request gets.
    enum Choice {
        /// What it would get without debugging.
        case plain
        case guarded
        case betweenPages
    }

    /// What an allocation gets that stands for `weight` of them.
    func choose(_ request: BlockRequest, weight: Int) -> Choice {
        if let interval = options.guardPageInterval, request.role != .weight,
            request.byteCount <= GuardPages.maximumByteCount, isDrawn(interval, weight: weight),
            options.watchesEveryTensor
                || Self.isLikely(pages: SystemMemory.wholePages(request.byteCount) / SystemMemory.pageByteCount)
        {
            return .betweenPages
        }
        return options.watchesEveryTensor ? .guarded : .plain
    }

    private func isDrawn(_ interval: Int, weight: Int) -> Bool {
        let left = countdown.load(ordering: .relaxed) - weight
        countdown.store(left > 0 ? left : left + Self.draw(interval), ordering: .relaxed)
        return left <= 0
    }

    /// Pages of a sample that are touched for the first time at no more than the cost that every sample has.
    private static let cheapPages = 16

    /// Larger tensors are taken as much more rarely as their first touch costs more.
    private static func isLikely(pages: Int) -> Bool { Int.random(in: 0..<max(1, pages)) < cheapPages }

    /// A distance to the next drawn allocation, `interval` on average, that no pattern of the program can meet.
    private static func draw(_ interval: Int) -> Int { Int.random(in: 1...2 * interval - 1) }

    // MARK: - Tensors begin

    /// Memory for a watched tensor. Lock held.
    func allocate(
        _ request: BlockRequest, _ choice: Choice, id: UInt64?, at location: CodeLocation?, _ state: inout EngineState
    ) -> Served {
        if case .betweenPages = choice {
            if let served = allocatePages(request, id: id, at: location, &state) { return served }
            // A sample is not worth an error.
            if !options.watchesEveryTensor { return .refused(needed: request.byteCount) }
        }
        let guardsBefore = options.usesGuardBytes ? request.alignment : 0
        let whole = request.byteCount + guardsBefore + (options.usesGuardBytes ? GuardedTensor.guardCount : 0)
        let arena =
            request.role == .weight
            ? try? state.base.weightArenaFlags() : state.flags(TensorSizeCategory(byteCount: whole))
        guard var flags = arena?.union(.alignment(request.alignment)), let usable = try? nallocx(whole, flags) else {
            return .refused(needed: whole)
        }
        guard state.reserve(usable) else { return .limitReached(needed: usable) }
        if request.zeroed { flags = flags.union(.zeroed) }
        guard let block = unsafe Backend.allocate(whole, flags) else {
            state.unreserve(usable)
            return .refused(needed: usable)
        }
        let tensor = unsafe GuardedTensor(
            block: block, blockByteCount: usable, address: block + guardsBefore, byteCount: request.byteCount,
            guardsBefore: min(guardsBefore, GuardedTensor.guardCount),
            guardsAfter: options.usesGuardBytes ? GuardedTensor.guardCount : 0, pages: nil, tensorID: id,
            isWeight: request.role == .weight, allocation: location)
        return begin(tensor, request, &state)
    }

    /// Nil where no pages are to be had.
    private func allocatePages(
        _ request: BlockRequest, id: UInt64?, at location: CodeLocation?, _ state: inout EngineState
    ) -> Served? {
        let byteCount = SystemMemory.wholePages(request.byteCount)
        guard state.reserve(byteCount) else { return .limitReached(needed: byteCount) }
        guard let pages = GuardPages(byteCount: request.byteCount, alignment: request.alignment) else {
            state.unreserve(byteCount)
            return nil
        }
        // To the end for overruns, the more frequent mistake, three times in four.
        let isAtEnd = request.alignment <= SystemMemory.pageByteCount && Int.random(in: 0..<4) > 0
        let offset = isAtEnd ? (byteCount - request.byteCount) & -request.alignment : 0
        let tensor = unsafe GuardedTensor(
            block: pages.data, blockByteCount: byteCount, address: pages.data + offset, byteCount: request.byteCount,
            guardsBefore: min(offset, GuardedTensor.guardCount),
            guardsAfter: min(byteCount - offset - request.byteCount, GuardedTensor.guardCount), pages: pages,
            tensorID: id, isWeight: false, allocation: location)
        pages.describe(tensor)
        return begin(tensor, request, &state)
    }

    private func begin(_ tensor: GuardedTensor, _ request: BlockRequest, _ state: inout EngineState) -> Served {
        unsafe tensorpool_allow_bytes(tensor.block, tensor.blockByteCount)
        tensor.placeGuards()
        // Fresh pages are zero.
        if options.fillsMemory && !request.zeroed {
            unsafe tensor.address.initializeMemory(
                as: UInt8.self, repeating: GuardedTensor.freshByte, count: tensor.byteCount)
        }
        unsafe tensorpool_tensor_begins(
            tensor.address, tensor.byteCount, min(tensor.guardsBefore, tensor.guardsAfter), request.zeroed)
        unsafe live[UInt(bitPattern: tensor.address)] = tensor
        state.directBytes += tensor.blockByteCount
        state.backendAllocations += 1
        state.count(tensor)
        return unsafe .block(Block(address: tensor.address, kind: tensor.isWeight ? .guardedWeight : .guarded))
    }

    // MARK: - Tensors end

    /// Takes a watched tensor back. `key` is its handle's, if it has one. Lock held.
    func free(_ address: UnsafeMutableRawPointer, _ key: HandleKey?, _ state: inout EngineState) {
        guard var tensor = live.removeValue(forKey: UInt(bitPattern: address)) else {
            stopProgram("a guarded tensor that is not live")
        }
        let location = CodeLocation.current(options)
        unsafe tensorpool_tensor_ends(tensor.address, min(tensor.guardsBefore, tensor.guardsAfter))
        unsafe tensorpool_allow_bytes(tensor.block, tensor.blockByteCount)
        findings += tensor.damage(freeing: location)
        tensor.freeing = location
        state.directBytes -= tensor.blockByteCount
        state.uncount(tensor)
        if let key, options.notesLocations { history.add(key, tensor) }
        if scrubs { unsafe tensorpool_scrub(tensor.address, tensor.byteCount) }
        if let pages = tensor.pages {
            pages.close(freeing: location)
            state.unreserve(tensor.blockByteCount)
            if let oldest = quarantine.add(pages) { oldest.unmap() }
            return
        }
        if options.fillsMemory {
            unsafe tensor.address.initializeMemory(
                as: UInt8.self, repeating: GuardedTensor.freedByte, count: tensor.byteCount)
        }
        unsafe tensorpool_forbid_bytes(tensor.block, tensor.blockByteCount)
        guard options.fillsMemory || tensorpool_has_checker() else {
            release(tensor, &state)
            return
        }
        quarantine.add(tensor)
        while let oldest = quarantine.takeOverflow() { release(oldest, &state) }
    }

    /// Looks at a freed tensor for the last time, and gives its memory back.
    private func release(_ tensor: GuardedTensor, _ state: inout EngineState) {
        unsafe tensorpool_allow_bytes(tensor.block, tensor.blockByteCount)
        if options.fillsMemory, let damage = tensor.damageAfterFree() { findings.append(damage) }
        unsafe Backend.free(tensor.block)
        state.unreserve(tensor.blockByteCount)
    }

    /// Gives back what is kept back. Lock held.
    func flush(_ state: inout EngineState) {
        while let tensor = quarantine.takeOldest() { release(tensor, &state) }
    }

    /// Gives back the addresses of freed pages: their engine ends.
    func unmap() {
        while let pages = quarantine.takeOldestPages() { pages.unmap() }
    }

    // MARK: - Findings

    /// What was found since the last call, for who holds no lock to tell. Lock held.
    func takeFindings() -> [DebugFinding] {
        defer { findings = [] }
        return findings
    }

    /// The watched tensors that are live, as leaks, largest first. Lock held.
    func leaks() -> [DebugFinding] {
        live.values.map { DebugFinding(.leaked, $0) }
            .sorted { ($0.byteCount, $0.tensorID ?? 0) > ($1.byteCount, $1.tensorID ?? 0) }
    }

    /// Notes that a handle was freed that was freed before. Lock held.
    func noteFreedTwice(_ key: HandleKey, at location: CodeLocation?) {
        guard let tensor = history[key] else { return }
        findings.append(DebugFinding(.freedTwice, tensor, secondFreeing: location))
    }
}

extension EngineState {
    /// Counts a watched tensor in the bin of what comes straight from an arena.
    fileprivate mutating func count(_ tensor: GuardedTensor) {
        guard tensor.isWeight else {
            let bin = CacheLayout.spanBin(Granule.count(tensor.byteCount))
            unsafe countAllocation(bin: bin, byteCount: tensor.byteCount, cache: nil, missed: true)
            return
        }
        weightAllocations += 1
        liveBytes += tensor.byteCount
        peakLiveBytes = max(peakLiveBytes, liveBytes)
    }

    fileprivate mutating func uncount(_ tensor: GuardedTensor) {
        guard tensor.isWeight else {
            let bin = CacheLayout.spanBin(Granule.count(tensor.byteCount))
            unsafe countFree(bin: bin, byteCount: tensor.byteCount, cache: nil)
            return
        }
        weightFrees += 1
        liveBytes -= tensor.byteCount
    }
}
