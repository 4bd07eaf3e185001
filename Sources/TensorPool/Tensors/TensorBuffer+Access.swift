extension TensorBuffer {
    /// The first byte, aligned to at least 64 bytes. Valid as long as the buffer.
    @unsafe @inlinable public var baseAddress: UnsafeMutableRawPointer { unsafe start }

    /// Calls `body` with the bytes.
    ///
    /// Writing needs no `var`: the buffer owns the memory and is itself unchanged. Two threads that write the same
    /// bytes at the same time race, as with any memory.
    ///
    /// - Complexity: O(1) beside `body`.
    @inlinable public func withUnsafeMutableBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeMutableRawBufferPointer(start: start, count: byteCount))
    }

    /// The bytes, for reading, bounds-checked.
    ///
    /// - Complexity: O(1).
    @inlinable public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeStart: start, byteCount: byteCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The bytes, for writing, bounds-checked.
    ///
    /// - Complexity: O(1).
    @inlinable public var mutableBytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get {
            let span = unsafe MutableRawSpan(_unsafeStart: start, byteCount: byteCount)
            return unsafe _overrideLifetime(span, mutating: &self)
        }
    }

    /// The elements, for reading. A remainder that is no whole element is left out.
    ///
    /// The contents of a buffer nobody wrote to are unspecified.
    ///
    /// - Complexity: O(1).
    @inlinable @_lifetime(borrow self)
    public func span<Element: TensorElement>(of type: Element.Type) -> Span<Element> {
        let first = unsafe start.assumingMemoryBound(to: Element.self)
        let span = unsafe Span(_unsafeStart: first, count: byteCount / MemoryLayout<Element>.stride)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// The elements, for writing. A remainder that is no whole element is left out.
    ///
    /// - Complexity: O(1).
    @inlinable @_lifetime(&self)
    public mutating func mutableSpan<Element: TensorElement>(of type: Element.Type) -> MutableSpan<Element> {
        let first = unsafe start.assumingMemoryBound(to: Element.self)
        let span = unsafe MutableSpan(_unsafeStart: first, count: byteCount / MemoryLayout<Element>.stride)
        return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// Sets every byte, 64 a step, past the processor's cache from 4 MiB on.
    ///
    /// - Complexity: O(`byteCount`).
    public mutating func fill(with byte: UInt8) {
        unsafe Filling.fill(start, with: byte, byteCount: byteCount, vectorized: true)
    }
}
