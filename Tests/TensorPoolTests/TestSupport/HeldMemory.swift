import Jemalloc
import Synchronization

@testable import TensorPool

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Bytes that the threads of a test hold, as they count themselves: no account of a pool has a part in it.
final class HeldBytes: Sendable {
    private let bytes = Atomic<Int>(0)
    private let highest = Atomic<Int>(0)

    /// The most that was ever held.
    var peak: Int { highest.load(ordering: .relaxed) }
    var now: Int { bytes.load(ordering: .relaxed) }

    func hold(_ byteCount: Int) {
        highest.max(bytes.add(byteCount, ordering: .relaxed).newValue, ordering: .relaxed)
    }
    func letGo(_ byteCount: Int) { bytes.subtract(byteCount, ordering: .relaxed) }
}

/// A tensor that is written to, and counts as held until it is freed.
final class HeldTensor: Sendable {
    private let tensor: Owned
    private let counts: [HeldBytes]

    init(_ tensor: Owned, in counts: HeldBytes...) {
        self.tensor = tensor
        self.counts = counts
        for count in counts { count.hold(tensor.byteCount) }
        tensor.fill(1)
    }

    // Before the tensor goes.
    deinit { for count in counts { count.letGo(tensor.byteCount) } }
}

extension HybridMemoryPool {
    /// Bytes that this base and the pools on it hold, as jemalloc and the kernel count them: blocks of its arenas, and of
    /// the address space of slabs and weights what is resident. For a moment at which no other thread works. Nil where the
    /// kernel makes more of them resident than is touched: huge pages that nobody asked for.
    func heldByteCount() throws -> Int? {
        if SmallFile.read("/sys/kernel/mm/transparent_hugepage/enabled")?.contains("[always]") == true { return nil }
        _ = try Statistics.refresh()
        var flags = [try memory.weightArenaFlags()]
        for strategy in AllocationStrategy.allCases {
            for category in TensorSizeCategory.allCases { flags.append(try memory.arenaFlags(strategy, category)) }
        }
        var held = 0
        for flags in flags {
            let statistics = try Statistics.arena(found(flags.arenaIndex))
            held += statistics.small.allocated + statistics.large.allocated
        }
        for engine in memory.engines() {
            engine.withState { state in
                for place in state.heap.slabs.indices {
                    let slab = state.heap.slabs[place]
                    held += unsafe residentByteCount(slab.address, slab.byteCount) - slab.byteCount
                }
                for chunk in state.weights.chunks {
                    held += unsafe residentByteCount(chunk.address, chunk.byteCount) - chunk.byteCount
                }
            }
        }
        return held
    }

    private func residentByteCount(_ address: UnsafeMutableRawPointer, _ byteCount: Int) -> Int {
        unsafe residentPages(address, byteCount) * SystemMemory.pageByteCount
    }
}

/// How many pages of a range are resident; -1 where the system does not tell.
func residentPages(_ address: UnsafeMutableRawPointer, _ byteCount: Int) -> Int {
    let count = byteCount / SystemMemory.pageByteCount
    #if os(Linux)
    var states = [UInt8](repeating: 0, count: count)
    let failure = unsafe mincore(address, byteCount, &states)
    #else
    var states = [CChar](repeating: 0, count: count)
    let failure = unsafe mincore(address, byteCount, &states)
    #endif
    return failure == 0 ? states.count { $0 & 1 == 1 } : -1
}
