import Jemalloc
import PoolModel
import Synchronization
import Testing

@testable import TensorPool

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension FaultScenario {
    /// The sizes of all categories and paths: classes, spans, straight from an arena, larger than a slab. The last two are
    /// not written to: hundreds of runs would spend their time in page faults.
    private static let sizes = [1, 700, 14_000, 20_000, 33_000, 300_000, 3 << 20, 17 << 20]
    private static let written = 400_000

    /// Small slabs, so that a run takes more than one.
    private static var smallSlabs: OptimizedTensorPoolConfig {
        var configuration = OptimizedTensorPoolConfig.bare
        configuration.slabByteCount = 2 << 20
        configuration.hugePages = .automatic
        return configuration
    }

    /// Buffers and handles of all sizes, some aligned or zeroed, each with bytes of its own, freed in another order.
    private static func allocateAllSizes(_ pool: any TensorAllocator) throws(TensorPoolError) {
        for pass in 0..<2 {
            var buffers: [(Owned, UInt64)] = []
            var handles: [(UInt64, MemoryHandle)] = []
            // What was allocated before an error goes back like everything else.
            let failure = refusal { () throws(TensorPoolError) in
                for (place, size) in sizes.enumerated() {
                    let pattern = UInt64(pass * 100 + place)
                    let isZeroed = place % 2 == 1 && size <= written
                    let buffer = try pool.own(size, alignment: place % 3 == 2 ? 4096 : 64, zeroed: isZeroed)
                    if isZeroed { #expect(buffer.isZero) }
                    if size <= written {
                        buffer.fill(pattern)
                        buffers.append((buffer, pattern))
                    }
                    // In the second pass an id that no record holds.
                    let id = pass == 0 ? pattern : ~pattern
                    handles.append((id, try pool.allocateTensor(id: id, byteCount: size)))
                }
            }
            for (buffer, pattern) in buffers { #expect(buffer.holds(pattern)) }
            for (id, handle) in handles { #expect(pool.refusedFree(id, handle) == nil) }
            buffers.removeAll()
            if let failure { throw failure }
        }
    }

    static var standard: FaultScenario {
        FaultScenario(
            makePool: { base throws(TensorPoolError) in try TensorMemoryPool(base) },
            run: { pool, _ throws(TensorPoolError) in
                try allocateAllSizes(pool)
                pool.trim()
            },
            expectedCalls: [.allocation, .control])
    }

    static var optimized: FaultScenario {
        FaultScenario(
            makePool: { base throws(TensorPoolError) in
                try OptimizedTensorMemoryPool(base, configuration: smallSlabs)
            },
            run: { pool, _ throws(TensorPoolError) in
                try allocateAllSizes(pool)
                pool.trim()
            },
            expectedCalls: [.allocation, .control, .advice])
    }

    /// Enough rounds that both strategies serve each size.
    static var adaptive: FaultScenario {
        FaultScenario(
            makePool: { base throws(TensorPoolError) in
                try AdaptiveTensorMemoryPool.bare(base, optimized: smallSlabs)
            },
            run: { pool, _ throws(TensorPoolError) in
                guard let pool = pool as? AdaptiveTensorMemoryPool else { return }
                for strategy in [AllocationStrategy.standard, .optimized, nil] {
                    pool.forcedStrategy = strategy
                    try allocateAllSizes(pool)
                }
                pool.trim()
            },
            expectedCalls: [.allocation, .control])
    }

    /// Trims while a tensor lives.
    private static func trimAround(_ pool: OptimizedTensorMemoryPool) throws(TensorPoolError) {
        let kept = try pool.own(3 << 20)
        kept.fill(7)
        pool.trim()
        #expect(kept.holds(7))
    }

    static var prewarmAndTrim: FaultScenario {
        let amounts = OptimizedTensorPoolConfig.Prewarming(
            verySmall: 8 << 10, small: 32 << 10, medium: 1 << 20, large: 3 << 20)
        return FaultScenario(
            makePool: { base throws(TensorPoolError) in
                var configuration = smallSlabs
                configuration.enablePrewarming = true
                configuration.prewarming = amounts
                // So small that several threads make these amounts resident.
                ParallelPopulation.partByteCount.store(1 << 20, ordering: .relaxed)
                return try OptimizedTensorMemoryPool(base, configuration: configuration)
            },
            run: { pool, base throws(TensorPoolError) in
                guard let pool = pool as? OptimizedTensorMemoryPool else { return }
                let monitor = try MemoryPressureMonitor(base)
                try monitor.start()
                defer { monitor.stop() }
                try trimAround(pool)
                base.trim()
                try pool.prewarm(amounts)
                pool.trim()
            },
            expectedCalls: Set([.allocation, .control, .advice, .population, .thread])
                .union(sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 ? [.populationThread] : []))
    }

    /// Weights, tensors that grow, and handles that other threads free, whose threads end.
    static var weightsAndThreads: FaultScenario {
        FaultScenario(
            makePool: { base throws(TensorPoolError) in
                try AdaptiveTensorMemoryPool.bare(base, optimized: smallSlabs)
            },
            run: { pool, _ throws(TensorPoolError) in
                guard let pool = pool as? AdaptiveTensorMemoryPool else { return }
                try growWeights(pool)
                try growTensors(pool)
                try exchangeHandles(pool)
                pool.trim()
            },
            expectedCalls: [.allocation, .control, .resizing, .threadKey])
    }

    private static func growWeights(_ pool: AdaptiveTensorMemoryPool) throws(TensorPoolError) {
        var weights: [(Owned, UInt64)] = []
        var tensors: [UInt64: MemoryHandle] = [:]
        let failure = refusal { () throws(TensorPoolError) in
            for size in [1000, 300_000, 3 << 20] {
                let weight = try pool.own(size, TensorTraits(role: .weight))
                weight.fill(UInt64(size))
                weights.append((weight, UInt64(size)))
                let id = UInt64(size)
                let tensor = try pool.allocateTensor(id: id, byteCount: size)
                tensors[id] = tensor
                tensors[id] = try pool.makeWeight(id: id, tensor).handle
            }
        }
        for (weight, pattern) in weights { #expect(weight.holds(pattern)) }
        for (id, handle) in tensors { #expect(pool.refusedFree(id, handle) == nil) }
        weights.removeAll()
        if let failure { throw failure }
    }

    private static func growTensors(_ pool: AdaptiveTensorMemoryPool) throws(TensorPoolError) {
        for strategy in [AllocationStrategy.standard, .optimized] {
            pool.forcedStrategy = strategy
            var buffer = try pool.allocate(byteCount: 100)
            let sizes = [100, 3000, 40_000, 600_000, 1 << 20, 500]
            for (size, next) in zip(sizes, sizes.dropFirst()) {
                unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.fill($0, UInt64(size)) }
                let before = buffer.byteCount
                let failure = refusal { () throws(TensorPoolError) in try pool.reallocate(&buffer, byteCount: next) }
                #expect(buffer.byteCount == (failure == nil ? next : before))
                if let failure {
                    #expect(unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.holds($0, UInt64(size)) })
                    throw failure
                }
            }
        }
        pool.forcedStrategy = nil
    }

    private static func exchangeHandles(_ pool: AdaptiveTensorMemoryPool) throws(TensorPoolError) {
        struct Outcome {
            var handles: [(UInt64, MemoryHandle)] = []
            var failure: TensorPoolError?
        }
        let outcome = Mutex(Outcome())
        onAnotherThread {
            let failure = refusal { () throws(TensorPoolError) in
                for (place, size) in sizes.enumerated() {
                    let handle = try pool.allocateTensor(id: UInt64(place), byteCount: size)
                    outcome.withLock { $0.handles.append((UInt64(place), handle)) }
                }
            }
            outcome.withLock { $0.failure = failure }
            // Other threads' cache is here, and gets back what they had of it.
            let first = outcome.withLock { $0.handles.isEmpty ? nil : $0.handles.removeFirst() }
            if let (id, handle) = first {
                onAnotherThread { #expect(pool.refusedFree(id, handle) == nil) }
            }
        }
        let result = outcome.withLock { $0 }
        for (id, handle) in result.handles { #expect(pool.refusedFree(id, handle) == nil) }
        if let failure = result.failure { throw failure }
    }
}
