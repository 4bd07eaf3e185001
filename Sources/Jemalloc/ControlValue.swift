/// A type that a control key's value can have, with the C type jemalloc uses for it.
///
/// jemalloc compares only the size of a type, and refuses another with `EINVAL`.
public protocol ControlValue: Sendable {
    /// What jemalloc reads and writes: the C type, or an integer of its size.
    associatedtype Representation: BitwiseCopyable

    /// The value for what jemalloc wrote.
    init(controlRepresentation: Representation)

    /// Calls `body` with what jemalloc is to read, valid during the call.
    func withControlRepresentation<Result>(_ body: (Representation) -> Result) -> Result
}

/// The types whose representation is themselves.
extension ControlValue where Representation == Self {
    /// The value as jemalloc wrote it.
    public init(controlRepresentation: Self) {
        self = controlRepresentation
    }

    /// Calls `body` with the value itself.
    public func withControlRepresentation<Result>(_ body: (Self) -> Result) -> Result {
        body(self)
    }
}

/// C's `bool`.
extension Bool: ControlValue {
    /// C's `bool`.
    public typealias Representation = Bool
}

/// C's `unsigned` and `uint32_t`.
extension UInt32: ControlValue {
    /// C's `unsigned`.
    public typealias Representation = UInt32
}

/// C's `uint64_t`.
extension UInt64: ControlValue {
    /// C's `uint64_t`.
    public typealias Representation = UInt64
}

/// C's `int64_t`.
extension Int64: ControlValue {
    /// C's `int64_t`.
    public typealias Representation = Int64
}

/// C's `ssize_t`, and `size_t` where the value is a count or a size that fits.
extension Int: ControlValue {
    /// C's `ssize_t`.
    public typealias Representation = Int
}

/// C's `size_t`.
extension UInt: ControlValue {
    /// C's `size_t`.
    public typealias Representation = UInt
}

/// C's `const char *`. A null pointer reads as the empty string.
extension String: ControlValue {
    /// The pointer's bits.
    public typealias Representation = UInt

    /// A copy of the C string at the address.
    public init(controlRepresentation: UInt) {
        // jemalloc owns what it returns here, for the process's life: names of options and of versions.
        let text = unsafe UnsafePointer<CChar>(bitPattern: controlRepresentation)
        self = if let text = unsafe text { unsafe String(cString: text) } else { "" }
    }

    /// Calls `body` with the address of a C string that lives during the call.
    public func withControlRepresentation<Result>(_ body: (UInt) -> Result) -> Result {
        unsafe withCString { body(UInt(bitPattern: $0)) }
    }
}
