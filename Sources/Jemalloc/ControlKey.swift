import CJemalloc

/// One of jemalloc's control keys, looked up once, with the Swift type of its value.
///
/// A key's name is that of jemalloc(3), "MALLCTL NAMESPACE", with a placeholder for each index that is to be given
/// later:
/// ```swift
/// let dirtyDecay = try ControlKey<Int>("arena.<i>.dirty_decay_ms")
/// let milliseconds = try dirtyDecay.at(arena.index).read()
/// ```
/// A key is a value: it may be kept in a `static let` and used on any thread. Making one costs 2 to 5 us, reading about
/// 80 ns, and about 300 ns with an index that is checked (2-core x86-64 VM, jemalloc 5.3.0).
///
/// jemalloc trusts whoever uses its keys. This type refuses what would read beyond its tables (an arena, bin or size
/// class that does not exist) and the keys of explicit thread caches, for which ``ThreadCache`` is the safe way. What
/// remains is the meaning: a key that changes the whole process does so.
public struct ControlKey<Value: Sendable>: Sendable {
    private var path: ControlPath

    /// The name with the indices given so far.
    public var name: String { path.name }

    /// The key with its next placeholder replaced by `index`: an arena, bin or size class.
    ///
    /// A key without a further placeholder stops the program. Whether the index exists is checked at each use.
    public func at(_ index: some BinaryInteger) -> ControlKey {
        var key = self
        key.path = path.at(Int(clamping: index))
        return key
    }

    /// A key that may name what the public initializers refuse.
    init(unchecked name: String) throws(JemallocError) {
        path = try ControlPath(name)
    }

    private init(checked name: String) throws(JemallocError) {
        // jemalloc takes any number here as an index into its table of thread caches, and does not look first.
        guard !name.hasPrefix("tcache.") else { throw JemallocError(key: name, operation: .lookUp, errno: EPERM) }
        try self.init(unchecked: name)
    }
}

extension ControlKey where Value: ControlValue {
    /// A key with a value.
    ///
    /// - Parameter name: The key's name, with a placeholder in angle brackets for each index to be given by ``at(_:)``.
    /// - Throws: ``JemallocError`` with `ENOENT` where this version or build of jemalloc has no such key, with `EPERM`
    ///   for `tcache.create`, `tcache.flush` and `tcache.destroy`.
    public init(_ name: String) throws(JemallocError) {
        try self.init(checked: name)
    }

    /// A key for a `static let`, looked up on first use; the error, if any, is thrown at each use.
    static func resolve(_ name: String) -> Result<ControlKey, JemallocError> {
        Result { () throws(JemallocError) in try ControlKey(unchecked: name) }
    }

    /// The key's value.
    ///
    /// - Throws: ``JemallocError`` with `EINVAL` where the value has another size than `Value` or an index is missing,
    ///   `ENOENT` where an index does not exist, `EPERM` where the key cannot be read, `EFAULT` and `EAGAIN` where
    ///   jemalloc could not do what reading does (`arenas.create`).
    public func read() throws(JemallocError) -> Value {
        try unsafe read(new: nil, 0)
    }

    /// Sets the key's value.
    ///
    /// - Throws: ``JemallocError`` with `EINVAL` where the value has another size than `Value` or an index is missing,
    ///   `ENOENT` where an index does not exist, `EPERM` where the key cannot be written, `EFAULT` where jemalloc
    ///   does not accept the value.
    public func write(_ value: Value) throws(JemallocError) {
        let code = value.withControlRepresentation { representation in
            var representation = representation
            // jemalloc copies the value during the call; its signature lacks the const.
            return unsafe withUnsafeMutableBytes(of: &representation) { bytes in
                unsafe path.control(old: nil, nil, new: bytes.baseAddress, bytes.count)
            }
        }
        guard code == 0 else { throw JemallocError(key: name, operation: .write("\(value)"), errno: code) }
    }

    /// Reads a value that depends on what is written, such as `arenas.lookup`: the index of the arena of an address.
    func read<Input: BitwiseCopyable>(for input: Input) throws(JemallocError) -> Value {
        var input = input
        let result = unsafe withUnsafeMutableBytes(of: &input) { bytes in
            Result { () throws(JemallocError) in try unsafe read(new: bytes.baseAddress, bytes.count) }
        }
        return try result.get()
    }

    private func read(new: UnsafeMutableRawPointer?, _ newSize: Int) throws(JemallocError) -> Value {
        typealias Representation = Value.Representation
        var code: Int32 = 0
        let value = unsafe withUnsafeTemporaryAllocation(of: Representation.self, capacity: 1) { buffer -> Value? in
            var size = MemoryLayout<Representation>.size
            // jemalloc writes the whole value or reports an error.
            code = unsafe path.control(old: buffer.baseAddress, &size, new: new, newSize)
            return code == 0 ? unsafe Value(controlRepresentation: buffer[0]) : nil
        }
        guard let value else { throw JemallocError(key: name, operation: .read, errno: code) }
        return value
    }
}

extension ControlKey where Value == Void {
    /// A key that performs an action.
    ///
    /// - Throws: ``JemallocError`` with `ENOENT` where this version or build of jemalloc has no such key.
    public init(_ name: String) throws(JemallocError) {
        try self.init(checked: name)
    }

    /// A key for a `static let`, looked up on first use; the error, if any, is thrown at each use.
    static func resolve(_ name: String) -> Result<ControlKey, JemallocError> {
        Result { () throws(JemallocError) in try ControlKey(unchecked: name) }
    }

    /// Performs the key's action.
    ///
    /// - Throws: ``JemallocError`` with `EINVAL` where an index is missing, `ENOENT` where it does not exist, `EFAULT`
    ///   where jemalloc could not do it.
    public func call() throws(JemallocError) {
        let code = unsafe path.control(old: nil, nil, new: nil, 0)
        guard code == 0 else { throw JemallocError(key: name, operation: .call, errno: code) }
    }
}
