import TensorPool

/// A live tensor as the model knows it.
@safe package class ModelTensor: @unchecked Sendable {
    /// Its bytes: as the model saw them last.
    fileprivate(set) var bytes: UnsafeMutableRawBufferPointer
    fileprivate(set) var pattern: UInt64 = 0
    /// Which of the world's pools it came from, and the how manieth at that place.
    let place: Int
    let generation: Int

    fileprivate init(_ bytes: UnsafeMutableRawBufferPointer, _ place: Int, _ generation: Int) {
        unsafe self.bytes = unsafe bytes
        self.place = place
        self.generation = generation
    }

    var address: UInt { UInt(bitPattern: unsafe bytes.baseAddress) }
    var byteCount: Int { unsafe bytes.count }

    func fill(_ pattern: UInt64) {
        self.pattern = pattern
        unsafe Fixtures.fill(bytes, pattern)
    }
    var isIntact: Bool { unsafe Fixtures.holds(bytes, pattern) }
    var isZero: Bool { unsafe Fixtures.isZero(bytes) }
}

/// One that a buffer owns.
final class ModelBuffer: ModelTensor, @unchecked Sendable {
    private var buffer: TensorBuffer

    init(_ buffer: consuming TensorBuffer, _ place: Int, _ generation: Int) {
        let bytes = unsafe UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: buffer.byteCount)
        self.buffer = buffer
        unsafe super.init(bytes, place, generation)
    }

    func resize(in pool: some TensorAllocator, to byteCount: Int) throws(TensorPoolError) {
        try pool.reallocate(&buffer, byteCount: byteCount)
        unsafe bytes = unsafe UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: buffer.byteCount)
    }
}

/// One that a handle names.
final class ModelHandle: ModelTensor, @unchecked Sendable {
    /// Who can free the handle.
    enum Keeper: Sendable {
        /// Its pool, and the base.
        case anyPool
        /// A plan, which must live as long.
        case plan(any TensorAllocator)
        /// The budget that counts it.
        case budget
    }

    private(set) var handle: MemoryHandle
    let keeper: Keeper
    /// The pool that made it, which may be gone from the world by now.
    let maker: ObjectIdentifier

    init(
        _ handle: MemoryHandle, _ place: Int, _ generation: Int, keeper: Keeper, maker: any TensorAllocator
    ) {
        self.maker = ObjectIdentifier(maker as AnyObject)
        self.handle = handle
        self.keeper = keeper
        unsafe super.init(handle.bytes, place, generation)
    }

    func become(_ next: MemoryHandle) {
        handle = next
        unsafe bytes = unsafe next.bytes
    }
}
