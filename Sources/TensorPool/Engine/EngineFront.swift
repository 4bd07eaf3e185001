public import CThreadSlot

/// What a pool puts in front of its engine: the hot path for requests, and the way to the slow one.
@frozen @usableFromInline struct EngineFront: Sendable {
    @usableFromInline let engine: Engine
    @usableFromInline let number: UInt32
    @usableFromInline let serial: UInt64

    init(_ engine: Engine) {
        self.engine = engine
        number = engine.number
        serial = engine.serial
    }

    /// What a request would be made of, were it a cached block. `smallCeiling` is the engine's, a constant where a
    /// pool's hot path is compiled.
    @inline(__always)
    static func kind(_ byteCount: Int, smallCeiling: Int) -> BlockKind {
        ownKind(byteCount, smallCeiling: smallCeiling) ?? .span(Granule.count(byteCount))
    }

    /// The same where it has a bin of its own, else nil: that of a size class, of up to 64 granules, or, for no bytes, one
    /// that is always empty.
    @inlinable @inline(__always)
    static func ownKind(_ byteCount: Int, smallCeiling: Int) -> BlockKind? {
        let lines = UInt(bitPattern: byteCount &+ 63) &>> 6
        if lines <= UInt(bitPattern: smallCeiling) &>> 6 {
            return BlockKind(rawValue: tensorpool_place(Int(bitPattern: lines)))
        }
        let granules = Granule.count(byteCount)
        guard CacheLayout.hasOwnBin(granules: granules) else { return nil }
        return BlockKind(bin: CacheLayout.firstSpanBin &+ granules &- 1)
    }

    /// Allocates a buffer.
    @inlinable @inline(__always)
    func allocate(smallCeiling: Int, byteCount: Int, alignment: Int, zeroed: Bool, traits: TensorTraits)
        throws(TensorPoolError) -> TensorBuffer
    {
        if Self.isPlain(alignment) && traits.isCacheable {
            let kind: BlockKind
            let cached: UnsafeMutableRawPointer?
            if let own = Self.ownKind(byteCount, smallCeiling: smallCeiling) {
                kind = own
                unsafe cached = HotPath.pop(engine: number, kind: own, byteCount: byteCount)
            } else {
                kind = .span(Granule.count(byteCount))
                unsafe cached = HotPath.popShared(engine: number, byteCount: byteCount)
            }
            if let address = unsafe cached {
                if zeroed { unsafe engine.zero(address, byteCount) }
                return unsafe TensorBuffer(start: address, byteCount: byteCount, engine: number, kind: kind)
            }
            if !zeroed, let address = unsafe WarmPath(engine: number).take(kind, byteCount: byteCount) {
                return unsafe TensorBuffer(start: address, byteCount: byteCount, engine: number, kind: kind)
            }
        }
        let block = unsafe try engine.requestBlock(
            byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
        return unsafe TensorBuffer(start: block.address, byteCount: byteCount, engine: number, kind: block.kind)
    }

    /// Whether every block has this alignment.
    @inlinable @inline(__always) static func isPlain(_ alignment: Int) -> Bool {
        alignment > 0 && alignment <= 64 && alignment & (alignment &- 1) == 0
    }

    /// Allocates a buffer that the thread's cache does not have.
    func allocateWarm(smallCeiling: Int, byteCount: Int, alignment: Int, zeroed: Bool, traits: TensorTraits)
        throws(TensorPoolError) -> TensorBuffer
    {
        if !zeroed && Self.isPlain(alignment) && traits.isCacheable {
            let kind = Self.kind(byteCount, smallCeiling: smallCeiling)
            if let address = unsafe WarmPath(engine: number).take(kind, byteCount: byteCount) {
                return unsafe TensorBuffer(start: address, byteCount: byteCount, engine: number, kind: kind)
            }
        }
        let block = unsafe try engine.requestBlock(
            byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
        return unsafe TensorBuffer(start: block.address, byteCount: byteCount, engine: number, kind: block.kind)
    }

    /// Allocates a tensor with a handle.
    @inlinable @inline(__always)
    func allocateTensor(smallCeiling: Int, id: UInt64, byteCount: Int, traits: TensorTraits)
        throws(TensorPoolError) -> MemoryHandle
    {
        if traits.isCacheable {
            let kind: BlockKind
            var cached: HotPath.Tensor?
            if let own = Self.ownKind(byteCount, smallCeiling: smallCeiling) {
                kind = own
                unsafe cached = HotPath.popTensor(engine: number, kind: own, byteCount: byteCount, id: id)
            } else {
                kind = .span(Granule.count(byteCount))
                unsafe cached = HotPath.popSharedTensor(engine: number, byteCount: byteCount, id: id)
            }
            if unsafe cached == nil {
                unsafe cached = WarmPath(engine: number).takeTensor(kind, byteCount: byteCount, id: id)
            }
            if let tensor = unsafe cached {
                return unsafe MemoryHandle(tensor, byteCount: byteCount, tensorID: id, serial: serial, kind: kind)
            }
        }
        let handle = try engine.requestHandle(id: id, byteCount: byteCount, traits: traits)
        // Said again, field by field: what is one value on all ways need not be kept, or compared at the free.
        return unsafe MemoryHandle(
            baseAddress: handle.baseAddress, byteCount: byteCount, tensorID: id, record: handle.record,
            state: handle.state, serial: serial, kind: handle.kind)
    }

    /// Allocates a tensor with a handle that the thread's cache does not have.
    func allocateWarmTensor(smallCeiling: Int, id: UInt64, byteCount: Int, traits: TensorTraits)
        throws(TensorPoolError) -> MemoryHandle
    {
        if traits.isCacheable {
            let kind = Self.kind(byteCount, smallCeiling: smallCeiling)
            if let tensor = unsafe WarmPath(engine: number).takeTensor(kind, byteCount: byteCount, id: id) {
                return unsafe MemoryHandle(tensor, byteCount: byteCount, tensorID: id, serial: serial, kind: kind)
            }
        }
        return try engine.requestHandle(id: id, byteCount: byteCount, traits: traits)
    }

    /// Frees the tensor of a handle that an engine made. False where the cold path has to, or to say what is wrong.
    @inlinable @inline(__always)
    static func deallocate(engine: UInt32, _ handle: MemoryHandle) -> Bool {
        if handle.kind.hasOwnBin {
            if HotPath.pushTensor(engine: engine, handle) { return true }
        } else if handle.kind.isCacheable {
            if HotPath.pushSharedTensor(engine: engine, handle) { return true }
        }
        return unsafe WarmPath(engine: engine).freeTensor(
            handle.baseAddress, byteCount: handle.byteCount, kind: handle.kind, record: handle.record,
            state: handle.state)
    }

    /// Frees a tensor by its handle.
    @inlinable @inline(__always)
    func deallocateTensor(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        if handle.serial == serial && handle.tensorID == id {
            if Self.deallocate(engine: number, handle) { return }
        }
        // Field by field: a handle that is passed whole would be put together in memory before it is known to be needed.
        unsafe try engine.returnHandle(
            id: id, handle.baseAddress, byteCount: handle.byteCount, tensorID: handle.tensorID, record: handle.record,
            state: handle.state, serial: handle.serial, kind: handle.kind)
    }
}
