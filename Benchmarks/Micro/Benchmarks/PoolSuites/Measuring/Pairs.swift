import CMeasurement
import TensorPool

/// What a caller holds of a tensor.
enum TensorForm: String, CaseIterable {
    case buffer
    case handle

    /// So many tensors of one size, each freed before the next is allocated. Untouched.
    @inline(__always)
    func pairs(_ count: Int, byteCount: Int, on pool: some TensorAllocator) throws {
        switch self {
        case .buffer: try Self.bufferPairs(count, byteCount, pool)
        case .handle: try Self.handlePairs(count, byteCount, pool)
        }
    }

    @inline(never)
    private static func bufferPairs(_ count: Int, _ byteCount: Int, _ pool: some TensorAllocator) throws {
        for _ in 0..<count {
            // The compiler must know neither the size nor that nobody uses the memory.
            let buffer = try pool.allocate(byteCount: Int(tpb_opaque(Int64(byteCount))))
            unsafe tpb_use(buffer.baseAddress)
        }
    }

    @inline(never)
    private static func handlePairs(_ count: Int, _ byteCount: Int, _ pool: some TensorAllocator) throws {
        for _ in 0..<count {
            let handle = try pool.allocateTensor(id: 1, byteCount: Int(tpb_opaque(Int64(byteCount))))
            unsafe tpb_use(handle.baseAddress)
            try pool.deallocateTensor(id: 1, handle)
        }
    }
}

/// Frees a buffer now, not where its scope ends.
@inline(__always)
func free(_ buffer: consuming TensorBuffer) {}
