extension TensorAllocator {
    /// Changes the size of a tensor: where it is if it can grow into free memory behind it, else by moving it. The bytes
    /// up to the smaller size are kept, those beyond are unspecified.
    ///
    /// The tensor may come from any pool; one of another pool moves to this one. What came through a budget or a recorder
    /// always moves: both tensors count until it has.
    ///
    /// Thread-safety: as for ``allocate(byteCount:alignment:zeroed:traits:)``. Cost: about 0.2 us in place (2-core x86-64
    /// VM), else an allocation, a copy and a free.
    ///
    /// - Parameters:
    ///   - buffer: The tensor. Its address may change.
    ///   - byteCount: The new size in bytes, at least 1.
    ///   - alignment: In bytes, a power of two up to 2 MiB, at least 64: of the tensor as it will be.
    /// - Throws: ``TensorPoolError``; the tensor is as it was then.
    public func reallocate(_ buffer: inout TensorBuffer, byteCount: Int, alignment: Int = 64) throws(TensorPoolError) {
        try Engine.validate(byteCount: byteCount, alignment: alignment, device: .cpu)
        if unsafe UInt(bitPattern: buffer.start) % UInt(alignment) == 0, buffer.resizeInPlace(to: byteCount) { return }
        let traits = TensorTraits(role: buffer.kind.isWeight ? .weight : .activation)
        let moved = try allocate(byteCount: byteCount, alignment: alignment, zeroed: false, traits: traits)
        unsafe moved.start.copyMemory(from: buffer.start, byteCount: min(byteCount, buffer.byteCount))
        buffer = moved
    }

    /// Changes the size of a tensor named by a handle, as ``reallocate(_:byteCount:alignment:)`` does. Aligned to 64 bytes.
    ///
    /// The handle given is stale afterwards. A thread that did not allocate the tensor always moves it.
    ///
    /// - Throws: ``TensorPoolError``; the tensor and its handle are as they were then.
    public func reallocateTensor(id: UInt64, _ handle: MemoryHandle, byteCount: Int) throws(TensorPoolError)
        -> MemoryHandle
    {
        try Engine.validate(byteCount: byteCount, alignment: 64, device: .cpu)
        if let resized = try resizedInPlace(id: id, handle, to: byteCount) { return resized }
        let moved = try allocateTensor(
            id: id, byteCount: byteCount, device: .cpu, isModelWeight: handle.kind.isWeight, isTemporary: false)
        unsafe moved.baseAddress.copyMemory(from: handle.baseAddress, byteCount: min(byteCount, handle.byteCount))
        do throws(TensorPoolError) {
            try deallocateTensor(id: id, handle)
        } catch {
            // Another thread freed the tensor meanwhile: nothing is left to be resized.
            try deallocateTensor(id: id, moved)
            throw error
        }
        return moved
    }

    /// A handle of one of this pool's engines is resized in place, or nil where it has to move.
    package func resizedInPlace(id: UInt64, _ handle: MemoryHandle, to byteCount: Int) throws(TensorPoolError)
        -> MemoryHandle?
    {
        if let adaptor = self as? any ForwardingAllocator {
            return try adaptor.resizedInPlace(id: id, handle, to: byteCount)
        }
        guard let pool = self as? any ObservablePool else { return nil }
        for engine in pool.engines.all where engine.serial == handle.serial {
            return try engine.resize(id: id, handle, to: byteCount)
        }
        throw .foreignHandle(tensorID: handle.tensorID)
    }
}

/// An allocator in front of others: it knows whose a handle is.
package protocol ForwardingAllocator: TensorAllocator {
    /// Resizes a tensor of this allocator or of one behind it where it is; nil where it has to move. Throws where the
    /// handle names no live tensor, so that nothing is copied from memory that is another's.
    func resizedInPlace(id: UInt64, _ handle: MemoryHandle, to byteCount: Int) throws(TensorPoolError) -> MemoryHandle?
}

extension TensorBuffer {
    /// Resizes the tensor where it is; false where it has to move.
    mutating func resizeInPlace(to newByteCount: Int) -> Bool {
        // A plan's place has the size that was planned, an observer was told another one, and their numbers are no engine's.
        if kind == .planned || kind.isObserved { return false }
        // The engine of a block that is out is there.
        let engine = unsafe EngineRegistry.engine(engine).takeUnretainedValue()
        let block = unsafe Block(address: start, kind: kind)
        guard let kind = unsafe engine.resize(block, byteCount: byteCount, to: newByteCount) else { return false }
        self = self.described(byteCount: newByteCount, kind: kind)
        return true
    }

    /// The same memory under another description.
    consuming func described(byteCount: Int, kind: BlockKind) -> TensorBuffer {
        let same = unsafe TensorBuffer(start: start, byteCount: byteCount, engine: engine, kind: kind)
        discard self
        return same
    }
}
