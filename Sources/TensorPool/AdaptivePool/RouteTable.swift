internal import Jemalloc
public import Synchronization

/// Where the sizes of each bin go: eight bytes a bin that the hot path reads, and behind a lock what decides it.
@safe @usableFromInline final class RouteTable: Sendable {
    /// A pair of an allocation and its free that is to be timed.
    struct Trial {
        let strategy: AllocationStrategy
        let bin: Int
        let byteCount: Int
    }

    private struct State {
        var forced: AllocationStrategy?
        var measurements: [Int: BinMeasurement] = [:]
        /// Nanoseconds that trials may take from here on.
        var allowance = RouteTable.firstAllowance
    }

    /// Two rows of routes: temporaries, and all others. By the standard strategy's bins, of which the optimized one's are a part.
    @usableFromInline nonisolated(unsafe) let entries: UnsafeMutablePointer<Atomic<UInt64>>
    /// The route of all sizes that share bins, less the kind: they are above what is measured, so that one rule holds for all.
    @usableFromInline let shared = Atomic<UInt64>(0)
    /// For each bin, visits that need not be looked at. Plain loads and stores: where threads lose some, no harm is done.
    @usableFromInline nonisolated(unsafe) let skips: UnsafeMutablePointer<Atomic<Int>>
    /// What measuring may cost: a millisecond at first, then 2 ns for each allocation off the hot path.
    private static let firstAllowance = 1e6
    private static let allowancePerVisit = 2.0
    private let configuration: AdaptiveConfiguration
    /// The serials of the two strategies' engines.
    private let standardSerial: UInt64
    private let optimizedSerial: UInt64
    private let state = Lock(State())

    init(_ configuration: AdaptiveConfiguration, standardSerial: UInt64, optimizedSerial: UInt64) {
        self.configuration = configuration
        self.standardSerial = standardSerial
        self.optimizedSerial = optimizedSerial
        unsafe entries = .allocate(capacity: 2 * CacheLayout.binCount)
        for index in 0..<2 * CacheLayout.binCount { unsafe (entries + index).initialize(to: Atomic(0)) }
        unsafe skips = .allocate(capacity: CacheLayout.binCount)
        for index in 0..<CacheLayout.binCount {
            // A look would find no rule to measure by; of a request for no bytes it is the cold path that says so.
            let isOutside =
                index < CacheLayout.recordBin
                && (Self.largestByteCount(ofBin: index) <= configuration.standardCeiling
                    || Self.smallestByteCount(ofBin: index) > configuration.optimizedFloor)
            unsafe (skips + index).initialize(to: Atomic(isOutside ? .max : 0))
        }
        publish(State())
    }

    deinit {
        unsafe skips.deinitialize(count: CacheLayout.binCount)
        unsafe skips.deallocate()
        unsafe entries.deinitialize(count: 2 * CacheLayout.binCount)
        unsafe entries.deallocate()
    }

    /// Where the tensors of one bin and role go: to which engine, and to which of its bins.
    @frozen @usableFromInline struct Route {
        /// The engine's serial above the kind of block there. One value, so that both are of one decision.
        @usableFromInline let rawValue: UInt64

        @inlinable @inline(__always) init(rawValue: UInt64) { self.rawValue = rawValue }

        @inlinable @inline(__always) var serial: UInt64 { rawValue &>> 16 }
        @inlinable @inline(__always) var engine: UInt32 { EngineSerial.number(serial) }
        @inlinable @inline(__always) var kind: BlockKind { BlockKind(rawValue: UInt16(truncatingIfNeeded: rawValue)) }
    }

    private func route(_ strategy: AllocationStrategy, bin: Int) -> Route {
        let serial = strategy == .standard ? standardSerial : optimizedSerial
        var kind = BlockKind(bin: bin)
        // Between the two strategies' ceilings the optimized one has granules where the standard one has classes.
        if strategy == .optimized && bin < SizeClass.count
            && SizeClass.byteCount(bin) > OptimizedTensorMemoryPool.smallCeiling
        {
            kind = .span(Granule.count(SizeClass.byteCount(bin)))
        }
        return Route(rawValue: serial << 16 | UInt64(kind.rawValue))
    }

    @inlinable @inline(__always)
    func route(ofBin bin: Int, role: TensorRole) -> Route {
        let row = role == .temporary ? CacheLayout.binCount : 0
        return Route(rawValue: unsafe entries[row &+ bin].load(ordering: .relaxed))
    }

    /// The route of a span whose size shares its bin.
    @inlinable @inline(__always)
    func route(ofShared kind: BlockKind) -> Route {
        Route(rawValue: shared.load(ordering: .relaxed) | UInt64(kind.rawValue))
    }

    var forced: AllocationStrategy? {
        get { state.withLock { $0.forced } }
        set {
            state.withLock {
                $0.forced = newValue
                publish($0)
            }
        }
    }

    // MARK: - Deciding

    /// The rule for a size and role.
    func rule(byteCount: Int, role: TensorRole, forced: AllocationStrategy?) -> AllocationRule {
        if role == .weight { return .modelWeight }
        if forced != nil { return .forced }
        if byteCount <= configuration.standardCeiling { return .upToStandardCeiling }
        if byteCount > configuration.optimizedFloor { return .aboveOptimizedFloor }
        if role == .temporary && byteCount <= configuration.temporaryCeiling { return .temporary }
        return .measured
    }

    /// Counts a visit of the slow path; a trial to make where one is due. Cost: a load and a store, now and
    /// then a lock.
    @inline(__always)
    func trial(byteCount: Int, bin: Int, role: TensorRole) -> Trial? {
        guard byteCount > configuration.standardCeiling, byteCount <= configuration.optimizedFloor,
            isLookDue(ofBin: bin)
        else { return nil }
        return look(byteCount: byteCount, bin: bin, role: role)
    }

    /// Counts a visit of the slow path; whether ``trial(byteCount:bin:role:)`` is to be asked. A visit that the warm path
    /// could not serve is counted again there, so that looks may come up to twice as often.
    @inlinable @inline(__always)
    func isLookDue(ofBin bin: Int) -> Bool {
        let left = unsafe skips[bin].load(ordering: .relaxed)
        guard left > 0 else { return true }
        unsafe skips[bin].store(left &- 1, ordering: .relaxed)
        return false
    }

    @inline(never)
    private func look(byteCount: Int, bin: Int, role: TensorRole) -> Trial? {
        state.withLock { state in
            guard rule(byteCount: byteCount, role: role, forced: state.forced) == .measured else {
                unsafe skips[bin].store(BinMeasurement.unpaidInterval, ordering: .relaxed)
                return nil
            }
            // Where it stands: a copy would share its timings, and be copied at the next one.
            let new = BinMeasurement(minimumUses: configuration.minimumUses)
            let look = state.measurements[bin, default: new].look(
                allowance: &state.allowance, perVisit: Self.allowancePerVisit)
            unsafe skips[bin].store(look.skip, ordering: .relaxed)
            return look.strategy.map { Trial(strategy: $0, bin: bin, byteCount: byteCount) }
        }
    }

    /// Notes what a trial took.
    func record(_ trial: Trial, _ cost: TrialCost) {
        let price = idlePrice(trial.byteCount)
        state.withLock { state in
            state.allowance -= min(cost.spent, BinMeasurement.dearestCharged)
            let changed = state.measurements[trial.bin, default: BinMeasurement(minimumUses: configuration.minimumUses)]
                .record(trial.strategy, cost, idlePrice: price)
            if changed { publish(state) }
        }
    }

    /// Starts a size with what a calibration measured, where the size is one that is measured.
    func seed(byteCount: Int, standard: Double, optimized: Double) {
        guard byteCount > configuration.standardCeiling, byteCount <= configuration.optimizedFloor else { return }
        let price = idlePrice(byteCount)
        state.withLock { state in
            state.measurements[Self.bin(byteCount), default: BinMeasurement(minimumUses: configuration.minimumUses)]
                .seed(
                    standard: standard, optimized: optimized, idlePrice: price)
            publish(state)
        }
    }

    /// The decision for a size and role, with what it rests on.
    func decision(byteCount: Int, role: TensorRole) -> AllocationDecision {
        let bin = Self.bin(byteCount)
        return state.withLock { state in
            let rule = rule(byteCount: byteCount, role: role, forced: state.forced)
            let measurement = state.measurements[bin]
            let strategy: AllocationStrategy =
                switch rule {
                case .modelWeight, .aboveOptimizedFloor: .optimized
                case .upToStandardCeiling, .temporary: .standard
                case .forced: state.forced ?? .standard
                case .measured: measurement?.route ?? .optimized
                }
            return AllocationDecision(
                strategy: strategy, rule: rule, byteCount: byteCount,
                standardNanoseconds: measurement?.standard.median,
                optimizedNanoseconds: measurement?.optimized.median,
                idleNanoseconds: idlePrice(byteCount), visits: measurement?.visits ?? 0,
                comparisons: measurement?.comparisons ?? 0)
        }
    }

    private func idlePrice(_ byteCount: Int) -> Double {
        (Double(max(0, byteCount)) / 4096).rounded(.up) * configuration.nanosecondsPerIdlePage
    }

    /// The bin of a size: the standard strategy's, of which the optimized one's are a part.
    @inline(__always) static func bin(_ byteCount: Int) -> Int {
        guard byteCount > 0 else { return 0 }
        return EngineFront.kind(byteCount, smallCeiling: TensorMemoryPool.smallCeiling).bin
    }

    /// The largest request of each bin that the rules can tell apart: a class's size, or whole granules.
    private static func largestByteCount(ofBin bin: Int) -> Int {
        if bin < CacheLayout.firstSpanBin { return SizeClass.byteCount(bin) }
        let granules = bin - CacheLayout.firstSpanBin + 1
        return granules <= 64 ? granules << Granule.shift : .max
    }

    /// The smallest request of each bin; of those that several sizes share, of all of them.
    private static func smallestByteCount(ofBin bin: Int) -> Int {
        if bin == 0 { return 1 }
        let before = min(bin, CacheLayout.firstSharedBin) - 1
        return largestByteCount(ofBin: before) + 1
    }

    /// Writes the routes for the hot path to read.
    private func publish(_ state: borrowing State) {
        for (row, role) in [TensorRole.activation, .temporary].enumerated() {
            for bin in 0..<CacheLayout.recordBin {
                let size = Self.largestByteCount(ofBin: bin)
                let strategy: AllocationStrategy =
                    switch rule(byteCount: size, role: role, forced: state.forced) {
                    case .upToStandardCeiling, .temporary: .standard
                    case .aboveOptimizedFloor, .modelWeight: .optimized
                    case .forced: state.forced ?? .standard
                    case .measured: state.measurements[bin]?.route ?? .optimized
                    }
                let route = route(strategy, bin: bin)
                unsafe entries[row * CacheLayout.binCount + bin].store(route.rawValue, ordering: .relaxed)
                if bin == CacheLayout.firstSharedBin { shared.store(route.serial << 16, ordering: .relaxed) }
            }
            unsafe entries[row * CacheLayout.binCount + CacheLayout.emptyBin]
                .store(route(.standard, bin: CacheLayout.emptyBin).rawValue, ordering: .relaxed)
        }
    }
}
