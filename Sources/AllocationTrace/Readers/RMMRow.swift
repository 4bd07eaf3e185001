/// One row of an RMM log: `Thread,Time,Action,Pointer,Size,Stream`.
struct RMMRow {
    enum Action {
        case allocate
        case allocateFailure
        case free
    }

    struct Problem: Error {
        let expected: String
        /// Where in the line the field is that was not as expected.
        let found: Range<Int>
        /// The line ends before its last field, as the last line of a file does that was cut off.
        var isIncomplete = false
    }

    static let header: StaticString = "Thread,Time,Action,Pointer,Size,Stream"

    let thread: UInt64
    /// Nil where it is in no known form.
    let time: RMMTime?
    let action: Action
    /// 0 for `(nil)`.
    let address: UInt64
    let byteCount: Int

    /// The stream has to be there, but is not looked at: it orders work of another device.
    init(parsing line: Span<UInt8>) throws(Problem) {
        var fields = FieldCursor()
        let threadField = try fields.next(in: line, expecting: "a thread number")
        let timeField = try fields.next(in: line, expecting: "a time")
        let actionField = try fields.next(in: line, expecting: "an action")
        let addressField = try fields.next(in: line, expecting: "a pointer")
        let sizeField = try fields.next(in: line, expecting: "a size")
        _ = try fields.last(in: line, expecting: "a stream as the sixth and last field")

        guard let thread = UInt64(decimal: line.extracting(threadField)) else {
            throw Problem(expected: "a thread number", found: threadField)
        }
        guard let action = Action(line.extracting(actionField)) else {
            throw Problem(expected: "an action: allocate, free or allocate failure", found: actionField)
        }
        guard let address = UInt64(pointer: line.extracting(addressField)) else {
            throw Problem(expected: "a pointer as 0x and up to 16 hexadecimal digits, or (nil)", found: addressField)
        }
        guard let size = UInt64(decimal: line.extracting(sizeField)), let byteCount = Int(exactly: size) else {
            throw Problem(expected: "a size in bytes below 2^63", found: sizeField)
        }
        guard address != 0 || byteCount == 0 || action == .allocateFailure else {
            throw Problem(expected: "the address of a block", found: addressField)
        }
        self.thread = thread
        time = RMMTime(parsing: line.extracting(timeField))
        self.action = action
        self.address = address
        self.byteCount = byteCount
    }
}

extension RMMRow.Action {
    fileprivate init?(_ field: Span<UInt8>) {
        if field.isEqual(to: "allocate") {
            self = .allocate
        } else if field.isEqual(to: "free") {
            self = .free
        } else if field.isEqual(to: "allocate failure") {
            self = .allocateFailure
        } else {
            return nil
        }
    }
}

/// Walks the comma-separated fields of a line.
private struct FieldCursor {
    private var position = 0

    mutating func next(in line: Span<UInt8>, expecting expected: String) throws(RMMRow.Problem) -> Range<Int> {
        let start = position
        var end = start
        while end < line.count, line[end] != UInt8(ascii: ",") { end += 1 }
        guard end < line.count else {
            throw RMMRow.Problem(expected: "\(expected) and more fields", found: start..<end, isIncomplete: true)
        }
        position = end + 1
        return start..<end
    }

    func last(in line: Span<UInt8>, expecting expected: String) throws(RMMRow.Problem) -> Range<Int> {
        let field = position..<line.count
        for index in field where line[index] == UInt8(ascii: ",") {
            throw RMMRow.Problem(expected: expected, found: field)
        }
        return field
    }
}
