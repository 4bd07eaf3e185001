public import TensorPool

/// A tensor's memory whose end is recorded: at the end of the value's life the free is written down, then the tensor is
/// freed. It may outlive its recorder, end on another thread, and is then freed all the same.
public struct RecordedBuffer: ~Copyable, Sendable {
    private var tensor: TensorBuffer
    private let recording: RecordingID

    @usableFromInline init(tensor: consuming TensorBuffer, recording: RecordingID) {
        self.tensor = tensor
        self.recording = recording
    }

    // The tensor ends after this: its free is recorded before another thread can have the memory.
    deinit {
        unsafe recording.recordFree(address: unsafe tensor.baseAddress, byteCount: tensor.byteCount, tensorID: 0)
    }

    /// Bytes that were asked for, all of them writable.
    public var byteCount: Int { tensor.byteCount }

    /// The first byte, aligned to at least 64 bytes. Valid as long as the buffer.
    @unsafe public var baseAddress: UnsafeMutableRawPointer { unsafe tensor.baseAddress }

    /// Calls `body` with the bytes. See ``TensorBuffer/withUnsafeMutableBytes(_:)``.
    public func withUnsafeMutableBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe tensor.withUnsafeMutableBytes(body)
    }

    /// The bytes, for reading, bounds-checked.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { tensor.bytes }
    }

    /// The bytes, for writing, bounds-checked.
    public var mutableBytes: MutableRawSpan {
        @_lifetime(&self)
        mutating get { tensor.mutableBytes }
    }

    /// The elements, for reading. See ``TensorBuffer/span(of:)``.
    @_lifetime(borrow self)
    public func span<Element: TensorElement>(of type: Element.Type) -> Span<Element> { tensor.span(of: type) }

    /// The elements, for writing. See ``TensorBuffer/mutableSpan(of:)``.
    @_lifetime(&self)
    public mutating func mutableSpan<Element: TensorElement>(of type: Element.Type) -> MutableSpan<Element> {
        tensor.mutableSpan(of: type)
    }

    /// Sets every byte. See ``TensorBuffer/fill(with:)``.
    public mutating func fill(with byte: UInt8) { tensor.fill(with: byte) }
}
