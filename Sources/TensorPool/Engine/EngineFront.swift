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
    @inlinable @inline(__always)
    static func kind(_ byteCount: Int, smallCeiling: Int) -> BlockKind {
        UInt(bitPattern: byteCount &- 1) < UInt(bitPattern: smallCeiling) ? .small(SizeClass.index(byteCount)) : .span
    }

    /// Allocates a buffer.
    @inlinable @inline(__always)
    func allocate(smallCeiling: Int, byteCount: Int, alignment: Int, zeroed: Bool, traits: TensorTraits)
        throws(TensorPoolError) -> TensorBuffer
    {
        if alignment > 0 && alignment <= 64 && alignment & (alignment &- 1) == 0 && traits.isCacheable {
            let kind = Self.kind(byteCount, smallCeiling: smallCeiling)
            let place = CacheLayout.place(of: kind, byteCount: byteCount)
            if let address = unsafe HotPath.pop(
                engine: number, bin: place.bin, granules: place.granules, byteCount: byteCount)
            {
                if zeroed { unsafe engine.zero(address, byteCount) }
                return unsafe TensorBuffer(start: address, byteCount: byteCount, engine: number, kind: kind)
            }
        }
        return try engine.requestBuffer(byteCount: byteCount, alignment: alignment, zeroed: zeroed, traits: traits)
    }

    /// Allocates a tensor with a handle.
    @inlinable @inline(__always)
    func allocateTensor(smallCeiling: Int, id: UInt64, byteCount: Int, traits: TensorTraits)
        throws(TensorPoolError) -> MemoryHandle
    {
        if traits.isCacheable {
            let kind = Self.kind(byteCount, smallCeiling: smallCeiling)
            let place = CacheLayout.place(of: kind, byteCount: byteCount)
            if let tensor = unsafe HotPath.popTensor(
                engine: number, bin: place.bin, granules: place.granules, byteCount: byteCount, id: id)
            {
                return unsafe MemoryHandle(
                    baseAddress: tensor.address, byteCount: byteCount, tensorID: id, record: tensor.record,
                    state: tensor.state, serial: serial, kind: kind)
            }
        }
        return try engine.requestHandle(id: id, byteCount: byteCount, traits: traits)
    }

    /// Frees a tensor by its handle.
    @inlinable @inline(__always)
    func deallocateTensor(id: UInt64, _ handle: MemoryHandle) throws(TensorPoolError) {
        if handle.serial == serial && handle.tensorID == id && handle.kind.isCacheable {
            let place = CacheLayout.place(of: handle.kind, byteCount: handle.byteCount)
            if unsafe HotPath.pushTensor(
                engine: number, bin: place.bin, granules: place.granules, byteCount: handle.byteCount,
                address: handle.baseAddress, record: handle.record, state: handle.state)
            {
                return
            }
        }
        try engine.returnHandle(id: id, handle)
    }
}
