import AllocationTrace
import TensorPool

/// A ``TensorBuffer`` of a pool: what most users hold.
///
/// Its release is the end of the buffer's life, and so the empty ``deallocate(byteCount:id:to:)`` does all.
@safe
struct TensorBufferBlock<Pool: TensorAllocator>: ReplayBlock, ~Copyable {
    let buffer: TensorBuffer

    var address: UnsafeMutableRawPointer {
        // The buffer owns the memory, and outlives every use of the address.
        unsafe buffer.baseAddress
    }

    @inline(__always)
    static func allocate(byteCount: Int, id: Int, from source: borrowing Pool) throws -> TensorBufferBlock {
        TensorBufferBlock(buffer: try source.allocate(byteCount: byteCount))
    }

    @inline(__always)
    consuming func deallocate(byteCount: Int, id: Int, to source: borrowing Pool) {}
}
