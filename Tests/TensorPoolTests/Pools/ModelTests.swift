import Foundation
import PoolModel
import Synchronization
import Testing

@testable import TensorPool

extension PoolTests {
    /// Random work on all pools of one base, beside a model that knows what must come of it.
    struct ModelTests {
        static let limit = 32 << 20
        static let kindCount = 3

        /// A live tensor as the model knows it.
        private enum Tensor: Sendable {
            case buffer(Owned, pattern: UInt64)
            case handle(MemoryHandle, pattern: UInt64)

            var address: UInt {
                switch self {
                case .buffer(let buffer, _): buffer.address
                case .handle(let handle, _): UInt(bitPattern: unsafe handle.baseAddress)
                }
            }
            var byteCount: Int {
                switch self {
                case .buffer(let buffer, _): buffer.byteCount
                case .handle(let handle, _): handle.byteCount
                }
            }
            var isIntact: Bool {
                switch self {
                case .buffer(let buffer, let pattern): buffer.holds(pattern)
                case .handle(let handle, let pattern): unsafe Fixtures.holds(handle.bytes, pattern)
                }
            }
        }

        private static func makePool(_ kind: Int, _ base: HybridMemoryPool, _ random: inout SeededRandom) throws
            -> any TensorAllocator
        {
            switch kind {
            case 0: return base
            case 1:
                let limits = [0, 4096, 256 << 10]
                return try TensorMemoryPool(
                    base,
                    configuration: .init(
                        threadCacheByteLimit: limits[random.below(3)], sharedCacheByteLimit: limits[random.below(3)]))
            default:
                var configuration = OptimizedTensorPoolConfig.bare
                configuration.enablePrewarming = random.below(2) == 0
                configuration.enableCacheOptimization = random.below(4) > 0
                configuration.enableAdaptiveCleanup = random.below(2) == 0
                configuration.enableStatisticalAnalysis = random.below(2) == 0
                configuration.enableSIMD = random.below(2) == 0
                configuration.threadSpanCacheByteLimit = random.below(3) << 20
                return try OptimizedTensorMemoryPool(base, configuration: configuration)
            }
        }

        private static func size(_ random: inout SeededRandom) -> Int {
            // Many small ones, some large ones, and often a border.
            let shift = [3, 6, 8, 10, 12, 14, 15, 17, 20, 22][min(random.below(10), random.below(12))]
            let size = random.below(4) == 0 ? 1 << shift + random.below(3) - 1 : 1 + random.below(1 << shift)
            return max(1, size)
        }

        @Test func randomWorkMatchesTheModel() throws {
            let seed = SeededRandom.runSeed("ModelTests")
            var random = SeededRandom(seed)
            let base = try HybridMemoryPool(configuration: .init(byteLimit: Self.limit, decayMilliseconds: 0))
            var pools = try (0..<Self.kindCount).map { try Self.makePool($0, base, &random) }
            var live: [(tensor: Tensor, pool: Int)] = []
            var shadow = ShadowMap()
            // Of the pools of now, and of all.
            var liveBytes = [Int](repeating: 0, count: Self.kindCount)
            var allBytes = 0
            var freed: [MemoryHandle] = []
            var refusals = 0
            var allocations = 0

            func fail(_ what: String, _ step: Int) {
                Issue.record("\(what) at step \(step), seed \(seed)")
            }

            func free(_ place: Int, _ step: Int) {
                let (tensor, pool) = live.remove(at: place)
                if !tensor.isIntact { fail("contents changed", step) }
                if !shadow.remove(tensor.address, tensor.byteCount) { fail("the shadow lost it", step) }
                allBytes -= tensor.byteCount
                if pool >= 0 { liveBytes[pool] -= tensor.byteCount }
                guard case .handle(let handle, _) = tensor else { return }
                // A tensor of a pool that is gone is freed through the base, and sometimes that of one that is there.
                let target = pool < 0 || random.below(8) == 0 ? base : pools[pool]
                if let error = target.refusedFree(handle.tensorID, handle) { fail("\(error)", step) }
                freed.append(handle)
                if freed.count > 50 { freed.removeFirst(25) }
            }

            for step in 0..<60_000 {
                let place = random.below(Self.kindCount)
                let pool = pools[place]
                switch random.below(100) {
                case 0..<48:
                    if live.count > 150 { break }
                    let byteCount = Self.size(&random)
                    let role = TensorRole.allCases[random.below(8) == 0 ? 2 : random.below(2)]
                    let pattern = random.next()
                    let tensor: Tensor
                    do throws(TensorPoolError) {
                        if random.below(2) == 0 {
                            let alignment = 1 << (random.below(10) == 0 ? random.below(22) : random.below(7))
                            let isZeroed = random.below(6) == 0
                            let buffer = try pool.own(
                                byteCount, alignment: alignment, zeroed: isZeroed, TensorTraits(role: role))
                            if isZeroed && !buffer.isZero { fail("not zero", step) }
                            if buffer.address % UInt(max(64, alignment)) != 0 { fail("not aligned", step) }
                            buffer.fill(pattern)
                            tensor = .buffer(buffer, pattern: pattern)
                        } else {
                            let handle = try pool.allocateTensor(
                                id: random.next(), byteCount: byteCount, device: .cpu, isModelWeight: role == .weight,
                                isTemporary: role == .temporary)
                            unsafe Fixtures.fill(handle.bytes, pattern)
                            tensor = .handle(handle, pattern: pattern)
                        }
                    } catch {
                        refusals += 1
                        guard case .limitReached(let report) = error else {
                            fail("\(error)", step)
                            break
                        }
                        if report.live != allBytes || report.cached != 0 || report.reserved > Self.limit
                            || report.requested != byteCount
                        {
                            fail("\(report)", step)
                        }
                        for _ in 0..<live.count / 2 { free(random.below(live.count), step) }
                        break
                    }
                    allocations += 1
                    if tensor.byteCount != byteCount || tensor.address % 64 != 0 { fail("not what was asked", step) }
                    if !shadow.insert(tensor.address, byteCount) { fail("two tensors overlap", step) }
                    liveBytes[place] += byteCount
                    allBytes += byteCount
                    live.append((tensor, place))
                case 48..<94:
                    if !live.isEmpty { free(random.below(live.count), step) }
                case 94, 95:
                    // What was freed stays freed, whoever is asked.
                    guard let handle = freed.randomElement(using: &random) else { break }
                    for target in pools where target.refusedFree(handle.tensorID, handle) == nil {
                        fail("freed twice", step)
                    }
                case 96:
                    guard let (tensor, owner) = live.randomElement(using: &random), case .handle(let handle, _) = tensor
                    else { break }
                    if pool.refusedFree(handle.tensorID &+ 1, handle) == nil { fail("freed by a wrong id", step) }
                    if place != owner && place != 0 && pool.refusedFree(handle.tensorID, handle) == nil {
                        fail("freed by another pool", step)
                    }
                case 97:
                    if pool.refusedBuffer(-random.below(1 << 30)) == nil { fail("a size below 1", step) }
                    if pool.refusedBuffer(10, alignment: 3 + 4 * random.below(100)) == nil {
                        fail("an alignment", step)
                    }
                    if pool.refusedTensor(10, device: .gpu(1)) == nil { fail("a device", step) }
                case 98:
                    // Each a full stop for every cache.
                    guard random.below(10) == 0 else { break }
                    for (place, pool) in pools.enumerated().dropFirst() {
                        let statistics = pool.statistics()
                        expectSums(statistics)
                        if statistics.liveBytes != liveBytes[place] { fail("live bytes of pool \(place)", step) }
                    }
                    let statistics = base.statistics()
                    expectSums(statistics)
                    if statistics.liveBytes != allBytes || statistics.liveTensors != live.count {
                        fail("live of the base", step)
                    }
                    if statistics.reservedBytes != base.reservedByteCount { fail("reserved", step) }
                    if base.reservedByteCount > Self.limit { fail("over the limit", step) }
                default:
                    switch random.below(40) {
                    case 0..<6:
                        pool.trim()
                        let statistics = pool.statistics()
                        if statistics.cachedBytes + statistics.prewarmedBytes != 0 { fail("kept after a trim", step) }
                    case 6 where place > 0:
                        // A pool goes, its tensors stay.
                        for index in live.indices where live[index].pool == place { live[index].pool = -1 }
                        liveBytes[place] = 0
                        pools[place] = base
                        if let next = try? Self.makePool(place, base, &random) {
                            pools[place] = next
                        } else {
                            while !live.isEmpty { free(random.below(live.count), step) }
                            pools[place] = try Self.makePool(place, base, &random)
                        }
                    default: break
                    }
                }
            }
            #expect(allocations > 15_000)
            #expect(base.statistics().liveTensors == live.count)
            while !live.isEmpty { free(live.count - 1, -1) }
            #expect(base.statistics().liveBytes == 0)
            pools = []
            base.trim()
            #expect(base.reservedByteCount == 0)
            #expect(base.memory.engines().count == 1)
            print("ModelTests: \(allocations) allocations, \(refusals) refusals at the limit")
        }

        /// Every public operation, at random: a quarter of the operations by one thread, whose figures are compared to the
        /// byte, the others by four at once. TENSOR_POOL_OPERATIONS says how many there are in all.
        @Test func allOperationsMatchTheModel() throws {
            let seed = SeededRandom.runSeed("ModelTests.allOperations")
            let environment = ProcessInfo.processInfo.environment["TENSOR_POOL_OPERATIONS"]
            let operations = environment.flatMap { Int($0) } ?? 1_000_000
            let start = ContinuousClock.now
            // Worlds end, so that the end of a world is seen often.
            let worldCount = max(4, operations / 1_000_000)
            for world in 0..<worldCount {
                try Self.work(
                    operations / worldCount, threads: world % 4 == 0 ? 1 : 4, seed: seed &+ UInt64(world) << 32)
                if (world + 1) % 10 == 0 { print("\((world + 1) * (operations / worldCount)) operations") }
            }
            print("ModelTests.allOperations: \(operations) operations in \(ContinuousClock.now - start)")
        }

        private static func work(_ operations: Int, threads: Int, seed: UInt64) throws {
            var choices = Choices(seed: seed)
            let world = try PoolWorld(&choices)
            let allocations = Mutex(0)
            onThreads(threads) { thread in
                var worker = PoolWorker(
                    world, choices: Choices(seed: seed &+ UInt64(thread + 1)), isAlone: threads == 1)
                do throws(ModelFailure) {
                    for _ in 0..<operations / threads { try worker.step() }
                    try worker.finish()
                } catch {
                    Issue.record("\(error), TENSOR_POOL_SEED=\(seed), thread \(thread)")
                }
                let count = worker.allocations
                allocations.withLock { $0 += count }
            }
            do throws(ModelFailure) { try world.close() } catch { Issue.record("\(error), TENSOR_POOL_SEED=\(seed)") }
            #expect(allocations.withLock { $0 } > operations / 4)
        }
    }
}
