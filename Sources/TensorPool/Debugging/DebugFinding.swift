/// A mistake that a debugging mode found.
public struct DebugFinding: Sendable, Hashable {
    /// What was found.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Bytes before the tensor were written to.
        case writtenBefore
        /// Bytes past its end were written to.
        case writtenPast
        /// It was written to after it was freed.
        case writtenAfterFree
        /// Its handle was freed a second time; the caller got an error.
        case freedTwice
        /// It was live when its pool was dropped, at the exit of the process, or when leaks were asked for.
        case leaked
    }

    /// What was found.
    public let kind: Kind
    /// The id of the tensor; nil of a ``TensorBuffer``, which has none.
    public let tensorID: UInt64?
    /// Requested bytes.
    public let byteCount: Int
    /// The first byte that was written to, from the tensor's first byte on; nil where none was.
    public let offset: Int?
    /// Where it was allocated; nil without ``DebugOptions/tracksTensors``.
    public let allocation: CodeLocation?
    /// Where it was freed; nil without ``DebugOptions/tracksTensors``, or where it was not.
    public let freeing: CodeLocation?
    /// Where it was freed again; nil of all but ``Kind/freedTwice``.
    public let secondFreeing: CodeLocation?

    /// Whether memory of the program is damaged: another tensor's, were it not for the debugging mode.
    public var isDamage: Bool { kind != .freedTwice && kind != .leaked }

    init(
        _ kind: Kind, _ tensor: GuardedTensor, offset: Int? = nil, freeing: CodeLocation? = nil,
        secondFreeing: CodeLocation? = nil
    ) {
        self.kind = kind
        tensorID = tensor.tensorID
        byteCount = tensor.byteCount
        self.offset = offset
        allocation = tensor.allocation
        self.freeing = freeing ?? tensor.freeing
        self.secondFreeing = secondFreeing
    }
}

extension DebugFinding: CustomStringConvertible {
    /// The finding in words, with the places that are known.
    public var description: String {
        let name = tensorID.map { "tensor \($0)" } ?? "a buffer"
        let place = offset ?? 0
        let what =
            switch kind {
            case .writtenBefore: "\(-place) bytes before the start of \(name) (\(byteCount) bytes) were written to"
            case .writtenPast:
                "\(name) (\(byteCount) bytes) was written to past its end, at byte \(place)"
            case .writtenAfterFree: "\(name) (\(byteCount) bytes) was written to after its free, at byte \(place)"
            case .freedTwice: "\(name) (\(byteCount) bytes) was freed twice"
            case .leaked: "\(name) (\(byteCount) bytes) was not freed"
            }
        var lines = ["TensorPool: " + what]
        for (title, location) in [
            ("allocated", allocation), ("freed", freeing), ("freed again", secondFreeing),
        ] {
            if let location { lines.append("  \(title) by \(location)") }
        }
        return lines.joined(separator: "\n")
    }
}
