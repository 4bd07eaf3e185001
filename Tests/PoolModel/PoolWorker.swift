import Synchronization
import TensorPool

/// Does one operation after the other on the pools of a world, and checks each against the model. One thread's.
package struct PoolWorker: ~Copyable {
    let world: PoolWorld
    /// Whether no other worker is there: figures are compared to the byte then.
    let isAlone: Bool
    var choices: Choices
    var live: [ModelTensor] = []
    package private(set) var allocations = 0
    package private(set) var refusals = 0

    package init(_ world: PoolWorld, choices: Choices, isAlone: Bool) {
        self.world = world
        self.choices = choices
        self.isAlone = isAlone
    }

    /// Whether the choices are used up.
    package var isExhausted: Bool { choices.isExhausted }

    /// Does one operation.
    package mutating func step() throws(ModelFailure) {
        switch choices.below(100) {
        case 0..<44: try allocate()
        case 44..<78: try freeOne()
        case 78..<82:
            guard !live.isEmpty else { return }
            let tensor = live.remove(at: choices.below(live.count))
            world.mailbox.withLock { $0.append(tensor) }
        case 82..<87: if let tensor = world.mailbox.withLock({ $0.popLast() }) { try world.free(tensor) }
        case 87..<93: try resize()
        case 93..<96: try askForNonsense()
        case 96: try makeWeight()
        case 97: try observe()
        case 98: try giveBack()
        default: try changeTheWorld()
        }
    }

    /// Frees all tensors of this worker.
    package mutating func finish() throws(ModelFailure) {
        while let tensor = live.popLast() { try world.free(tensor) }
    }

    // MARK: - Allocating

    mutating func byteCount() -> Int {
        // Many small ones, some large ones, and often a border.
        let shift = [3, 6, 8, 10, 12, 14, 15, 16, 18, 21][min(choices.below(10), choices.below(12))]
        if choices.below(4) == 0 { return max(1, 1 << shift + choices.below(3) - 1) }
        return 1 + choices.below(1 << shift)
    }

    mutating func allocate() throws(ModelFailure) {
        if live.count > 60 { try freeOne() }
        let byteCount = byteCount()
        let isBuffer = choices.below(2) == 0
        let alignment = isBuffer ? 1 << (choices.below(10) == 0 ? choices.below(22) : choices.below(7)) : 64
        let isZeroed = isBuffer && choices.below(6) == 0
        let traits = TensorTraits(role: TensorRole.allCases[choices.below(8) == 0 ? 2 : choices.below(2)])
        let tensor: ModelTensor
        do throws(TensorPoolError) {
            tensor =
                isBuffer
                ? try allocateBuffer(byteCount, alignment, isZeroed, traits) : try allocateHandle(byteCount, traits)
        } catch {
            return try accept(error)
        }
        guard tensor.byteCount == byteCount, tensor.address % UInt(max(64, alignment)) == 0 else {
            throw ModelFailure(
                "asked for \(byteCount) bytes at \(alignment), got \(tensor.byteCount) at \(tensor.address)")
        }
        if isZeroed && !tensor.isZero { throw ModelFailure("\(byteCount) bytes are not zero") }
        allocations += 1
        try world.enter(tensor)
        tensor.fill(choices.filler())
        live.append(tensor)
    }

    private mutating func allocateBuffer(
        _ byteCount: Int, _ alignment: Int, _ isZeroed: Bool, _ traits: TensorTraits
    ) throws(TensorPoolError) -> ModelTensor {
        let place = choices.below(PoolWorld.placeCount)
        let entry = world.entries.withLock { $0[place] }
        let buffer = try entry.pool.allocate(
            byteCount: byteCount, alignment: alignment, zeroed: isZeroed, traits: traits)
        return ModelBuffer(buffer, place, entry.generation)
    }

    private mutating func allocateHandle(_ byteCount: Int, _ traits: TensorTraits) throws(TensorPoolError)
        -> ModelTensor
    {
        let place = choices.below(PoolWorld.placeCount)
        let entry = world.entries.withLock { $0[place] }
        let (isWeight, isTemporary) = (traits.role == .weight, traits.role == .temporary)
        // Of few bits, so that a record holds it, or of many.
        let bits = choices.filler()
        let id = bits % 4 < 2 ? bits >> 32 : bits
        let handle =
            if id % 2 == 0, let pool = entry.pool as? AdaptiveTensorMemoryPool {
                try pool.allocateTensorAuto(
                    id: id, byteCount: byteCount, device: .cpu, isModelWeight: isWeight, isTemporary: isTemporary)
            } else {
                try entry.pool.allocateTensor(
                    id: id, byteCount: byteCount, device: .cpu, isModelWeight: isWeight, isTemporary: isTemporary)
            }
        let keeper: ModelHandle.Keeper =
            switch place {
            case PoolWorld.placeOfPlan: .plan(entry.pool)
            case PoolWorld.placeOfBudget: .budget
            default: .anyPool
            }
        return ModelHandle(handle, place, entry.generation, keeper: keeper, maker: entry.pool)
    }

    /// A limit may be reached; nothing else may be refused. Makes room.
    mutating func accept(_ error: TensorPoolError) throws(ModelFailure) {
        guard case .limitReached(let report) = error else { throw ModelFailure("refused: \(error)") }
        guard report.reserved <= report.limit else { throw ModelFailure("over the limit: \(report)") }
        refusals += 1
        for _ in 0..<live.count / 2 { try freeOne() }
    }

    mutating func freeOne() throws(ModelFailure) {
        if !live.isEmpty { try world.free(live.remove(at: choices.below(live.count))) }
    }
}
