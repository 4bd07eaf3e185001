public import Synchronization

/// Which strategy each size bin goes to: a byte a bin that the hot path reads, and behind a lock what decides it.
@safe @usableFromInline final class RouteTable: Sendable {
    /// One timed allocation to make.
    struct Plan {
        let strategy: AllocationStrategy
        let bin: Int
        let byteCount: Int
    }

    private struct State {
        var forced: AllocationStrategy?
        var measurements: [Int: BinMeasurement] = [:]
    }

    /// Two rows: temporaries, and all others; 0 is standard, 1 is optimized.
    @usableFromInline nonisolated(unsafe) let entries: UnsafeMutablePointer<Atomic<UInt8>>
    private let configuration: AdaptiveConfiguration
    private let state = Mutex(State())

    init(_ configuration: AdaptiveConfiguration) {
        self.configuration = configuration
        unsafe entries = .allocate(capacity: 2 * CacheLayout.recordBin)
        for index in 0..<2 * CacheLayout.recordBin { unsafe (entries + index).initialize(to: Atomic(0)) }
        publish(State())
    }

    deinit {
        unsafe entries.deinitialize(count: 2 * CacheLayout.recordBin)
        unsafe entries.deallocate()
    }

    /// Whether a bin's tensors of a role go to the standard strategy.
    @inlinable @inline(__always)
    func isStandard(bin: Int, role: TensorRole) -> Bool {
        let row = role == .temporary ? CacheLayout.recordBin : 0
        return unsafe entries[row &+ bin].load(ordering: .relaxed) == 0
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

    /// Counts a visit of the slow path; a timed allocation to make where one is due.
    func plan(byteCount: Int, role: TensorRole) -> Plan? {
        guard byteCount > configuration.standardCeiling, byteCount <= configuration.optimizedFloor else { return nil }
        let bin = Self.bin(byteCount)
        return state.withLock { state in
            guard rule(byteCount: byteCount, role: role, forced: state.forced) == .measured else {
                return nil
            }
            let trial = state.measurements[bin, default: BinMeasurement()].nextTrial(
                minimumUses: configuration.minimumUses)
            return trial.map { Plan(strategy: $0, bin: bin, byteCount: byteCount) }
        }
    }

    /// Notes what a planned allocation took.
    func record(_ plan: Plan, nanoseconds: Double) {
        let price = idlePrice(plan.byteCount)
        state.withLock { state in
            let changed = state.measurements[plan.bin, default: BinMeasurement()].record(
                plan.strategy, nanoseconds: nanoseconds, idlePrice: price)
            if changed { publish(state) }
        }
    }

    /// Starts a size with what a calibration measured, where the size is one that is measured.
    func seed(byteCount: Int, standard: Double, optimized: Double) {
        guard byteCount > configuration.standardCeiling, byteCount <= configuration.optimizedFloor else { return }
        let price = idlePrice(byteCount)
        state.withLock { state in
            state.measurements[Self.bin(byteCount), default: BinMeasurement()].seed(
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
                case .measured: measurement?.route ?? .standard
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
    private static func bin(_ byteCount: Int) -> Int {
        guard byteCount > 0 else { return 0 }
        return CacheLayout.place(
            of: EngineFront.kind(byteCount, smallCeiling: TensorMemoryPool.smallCeiling), byteCount: byteCount
        ).bin
    }

    /// The largest request of each bin that the rules can tell apart: a class's size, or whole granules.
    private static func largestByteCount(ofBin bin: Int) -> Int {
        if bin < CacheLayout.firstSpanBin { return SizeClass.byteCount(bin) }
        let granules = bin - CacheLayout.firstSpanBin + 1
        return granules <= 64 ? granules << Granule.shift : .max
    }

    /// Writes the routes for the hot path to read.
    private func publish(_ state: borrowing State) {
        for (row, role) in [TensorRole.activation, .temporary].enumerated() {
            for bin in 0..<CacheLayout.recordBin {
                let size = Self.largestByteCount(ofBin: bin)
                let route: AllocationStrategy =
                    switch rule(byteCount: size, role: role, forced: state.forced) {
                    case .upToStandardCeiling, .temporary: .standard
                    case .aboveOptimizedFloor, .modelWeight: .optimized
                    case .forced: state.forced ?? .standard
                    case .measured: state.measurements[bin]?.route ?? .standard
                    }
                unsafe entries[row * CacheLayout.recordBin + bin].store(UInt8(route.rawValue), ordering: .relaxed)
            }
        }
    }
}
