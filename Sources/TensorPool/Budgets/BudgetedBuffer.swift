/// A tensor's memory that counts in a budget: at the end of the value's life the tensor is freed, then its bytes go
/// back to the budget. It may outlive the scope and end on another thread.
public struct BudgetedBuffer: ~Copyable, Sendable {
    // The order matters: stored properties end in the order they are declared in. Were the bytes given back first,
    // another thread could take them while the tensor still lives.
    private var tensor: TensorBuffer
    private let share: BudgetShare

    init(tensor: consuming TensorBuffer, share: consuming BudgetShare) {
        self.tensor = tensor
        self.share = share
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

    /// Takes the tensor out of its budget: it lives on and counts no more.
    public consuming func leaveBudget() -> TensorBuffer { tensor }
}

/// Bytes taken from a budget, given back at the end of the value's life.
struct BudgetShare: ~Copyable, Sendable {
    private let account: ByteAccount
    private let byteCount: Int

    /// Takes over bytes that were taken from an account.
    init(account: ByteAccount, byteCount: Int) {
        self.account = account
        self.byteCount = byteCount
    }

    deinit { if byteCount > 0 { account.give(byteCount) } }
}
