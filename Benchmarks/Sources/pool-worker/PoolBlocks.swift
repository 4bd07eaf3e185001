import TensorPool
import Workloads

/// A tensor buffer of a pool.
struct BufferBlock<Pool: TensorAllocator>: Block, ~Copyable {
    let buffer: TensorBuffer

    @inline(__always) static func allocate(_ byteCount: Int, from source: borrowing Pool) -> BufferBlock {
        do {
            return BufferBlock(buffer: try source.allocate(byteCount: byteCount))
        } catch {
            measurementFailed("\(error)")
        }
    }

    @inline(__always) consuming func free(to source: borrowing Pool) {}

    @inline(__always) var address: UnsafeMutableRawPointer { unsafe buffer.baseAddress }
}

/// A handle's memory in a pool.
struct HandleBlock<Pool: TensorAllocator>: Block {
    let handle: MemoryHandle

    @inline(__always) static func allocate(_ byteCount: Int, from source: borrowing Pool) -> HandleBlock {
        do {
            return HandleBlock(handle: try source.allocateTensor(id: 1, byteCount: byteCount))
        } catch {
            measurementFailed("\(error)")
        }
    }

    @inline(__always) consuming func free(to source: borrowing Pool) {
        do {
            try source.deallocateTensor(id: 1, handle)
        } catch {
            measurementFailed("\(error)")
        }
    }

    @inline(__always) var address: UnsafeMutableRawPointer { unsafe handle.baseAddress }
}
