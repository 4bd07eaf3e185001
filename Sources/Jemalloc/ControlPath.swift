import CJemalloc

/// A control key's management information base (MIB): its name as the numbers that jemalloc looks up without parsing.
struct ControlPath: Sendable {
    /// jemalloc's deepest key has seven components (`CTL_MAX_DEPTH` in its sources).
    static let maximumDepth = 7

    /// The name with a placeholder in angle brackets for each index that is still open.
    let pattern: String
    private var numbers = InlineArray<7, Int>(repeating: 0)
    private var count = 0
    /// Where the placeholders are, and how many of them have an index.
    private var placeholders: [Int] = []
    private var filled = 0
    private var rules: [IndexRule] = []

    /// Looks a name up.
    ///
    /// - Throws: ``JemallocError`` with `ENOENT` where this jemalloc has no such key.
    init(_ pattern: String) throws(JemallocError) {
        self.pattern = pattern
        var components = pattern.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        for (position, component) in components.enumerated() where component.hasPrefix("<") {
            placeholders.append(position)
            components[position] = "0"
        }
        rules = IndexRule.rules(for: components)
        var depth = Self.maximumDepth
        var span = numbers.mutableSpan
        // jemalloc writes at most `depth` numbers, which is what `numbers` has room for.
        let code = unsafe span.withUnsafeMutableBufferPointer { buffer in
            unsafe cjemalloc_name_to_mib(components.joined(separator: "."), buffer.baseAddress!, &depth)
        }
        guard code == 0 else { throw JemallocError(key: pattern, operation: .lookUp, errno: code) }
        count = depth
    }

    /// The path with its first open placeholder replaced by `index`.
    func at(_ index: Int) -> ControlPath {
        guard filled < placeholders.count else { stopProgram("the control key \(pattern) has no further index") }
        var path = self
        path.numbers[placeholders[filled]] = index
        path.filled += 1
        return path
    }

    /// The name with the indices that it was given.
    var name: String {
        var components = pattern.split(separator: ".").map(String.init)
        for position in placeholders.prefix(filled) { components[position] = String(numbers[position]) }
        return components.joined(separator: ".")
    }

    /// Calls jemalloc with the path.
    ///
    /// - Returns: jemalloc's error number, or the one that it would give if it checked every index; 0 for success.
    func control(
        old: UnsafeMutableRawPointer?, _ oldSize: UnsafeMutablePointer<Int>?, new: UnsafeMutableRawPointer?,
        _ newSize: Int
    ) -> Int32 {
        guard filled == placeholders.count else { return EINVAL }
        for rule in rules where !rule.allows(numbers[rule.position]) { return ENOENT }
        if FaultInjection.refuses(.control) { return EAGAIN }
        // The numbers live during the call, and `count` is at most how many there are.
        return unsafe numbers.span.withUnsafeBufferPointer { buffer in
            unsafe cjemalloc_control(buffer.baseAddress!, count, old, oldSize, new, newSize)
        }
    }
}
