import TensorPool
import TensorTrace
import Workloads

/// A pool and its recorder.
struct RecordedPool<Pool: TensorAllocator> {
    let recorder: TraceRecorder<Pool>
}

/// A tensor buffer whose allocation and end are recorded.
struct RecordedBufferBlock<Pool: TensorAllocator>: Block, ~Copyable {
    let buffer: TensorBuffer

    @inline(__always)
    static func allocate(_ byteCount: Int, from source: borrowing RecordedPool<Pool>) -> RecordedBufferBlock {
        do {
            return RecordedBufferBlock(buffer: try source.recorder.allocate(byteCount: byteCount))
        } catch {
            measurementFailed("\(error)")
        }
    }

    @inline(__always) consuming func free(to source: borrowing RecordedPool<Pool>) {}

    @inline(__always) var address: UnsafeMutableRawPointer { unsafe buffer.baseAddress }
}

/// A handle's memory, recorded.
struct RecordedHandleBlock<Pool: TensorAllocator>: Block {
    let handle: MemoryHandle

    @inline(__always)
    static func allocate(_ byteCount: Int, from source: borrowing RecordedPool<Pool>) -> RecordedHandleBlock {
        do {
            return RecordedHandleBlock(handle: try source.recorder.allocateTensor(id: 1, byteCount: byteCount))
        } catch {
            measurementFailed("\(error)")
        }
    }

    @inline(__always) consuming func free(to source: borrowing RecordedPool<Pool>) {
        do {
            try source.recorder.deallocateTensor(id: 1, handle)
        } catch {
            measurementFailed("\(error)")
        }
    }

    @inline(__always) var address: UnsafeMutableRawPointer { unsafe handle.baseAddress }
}
