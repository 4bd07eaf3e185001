extension PlanningProblem {
    /// The most items that are read by default: 4,194,304 (2^22).
    public static let defaultMaximumItems = 1 << 22

    /// Reads the CSV in which minimalloc has its problems, plain or gzip: a header that names `id`, `lower`, `upper`
    /// and `size` in any order among other columns, and a row for each item.
    /// - Parameter path: the file; `-` for standard input.
    public static func read(
        _ path: String, maximumItems: Int = Self.defaultMaximumItems
    ) throws(TraceReadError) -> PlanningProblem {
        var (line, itemCount) = (0, 0)
        do throws(TraceReadError.Problem) {
            var input = try TraceInput(path: path)
            defer { line = input.lineNumber }
            try input.start()
            return try PlanningProblem(from: &input, maximumItems: maximumItems, itemCount: &itemCount)
        } catch {
            throw TraceReadError(
                file: path, position: line == 0 ? .start : .line(line), eventCount: 2 * itemCount, problem: error)
        }
    }

    /// - Parameter itemCount: how many rows were read, where one cannot be.
    init(
        from input: inout TraceInput, maximumItems: Int, itemCount: inout Int
    ) throws(TraceReadError.Problem) {
        let columns = try Self.columns(from: &input)
        var items: [Item] = []
        while let line = try input.nextLine() {
            let bytes = input.buffer.span.extracting(line.bytes)
            if bytes.isEmpty { continue }
            // A plan for a part of the tensors is none: here a cut file is not survived.
            guard line.isComplete || !input.isTruncated else {
                throw .malformed(expected: "a row", found: "the end of compressed data that was cut off")
            }
            guard items.count < maximumItems else { throw .limitExceeded(.events(limit: maximumItems)) }
            items.append(try columns.item(in: bytes))
            itemCount += 1
        }
        guard !input.isTruncated else {
            throw .malformed(expected: "a row", found: "the end of compressed data that was cut off")
        }
        do throws(PlanningProblemError) {
            try self.init(items: items)
        } catch {
            throw .malformed(expected: "items that fit into one plan", found: error.description)
        }
    }
}

extension PlanningProblem {
    private static func columns(
        from input: inout TraceInput
    ) throws(TraceReadError.Problem) -> PlanningProblemColumns {
        let expected = "a header with the columns id, lower, upper and size"
        guard let header = try input.nextLine() else {
            throw .malformed(expected: expected, found: "the end of the file")
        }
        let names = input.buffer.span.extracting(header.bytes)
        guard let columns = PlanningProblemColumns(header: names) else {
            throw .malformed(expected: expected, found: names.quoted())
        }
        return columns
    }
}

/// Which column of a minimalloc file holds what.
struct PlanningProblemColumns {
    /// Of a longer id the beginning is kept: so that no file takes much more memory than its items.
    private static let maximumIDLength = 64

    private let id: Int
    private let lower: Int
    private let upper: Int
    private let size: Int

    /// Nil where a column is missing or there twice. Looks at the first line of the text.
    init?(header text: Span<UInt8>) {
        var end = 0
        while end < text.count, text[end] != UInt8(ascii: "\n"), text[end] != UInt8(ascii: "\r") { end += 1 }
        let line = text.extracting(..<end)
        let fields = Self.fields(of: line)
        func column(_ name: StaticString) -> Int? {
            let found = fields.indices.filter { line.extracting(fields[$0]).isEqual(to: name) }
            return found.count == 1 ? found[0] : nil
        }
        guard let id = column("id"), let lower = column("lower"), let upper = column("upper"),
            let size = column("size")
        else { return nil }
        (self.id, self.lower, self.upper, self.size) = (id, lower, upper, size)
    }

    func item(in line: Span<UInt8>) throws(TraceReadError.Problem) -> PlanningProblem.Item {
        let fields = Self.fields(of: line)
        guard fields.count > max(id, lower, upper, size) else {
            throw .malformed(expected: "a row with as many columns as the header", found: line.quoted())
        }
        let item = PlanningProblem.Item(
            id: line.extracting(fields[id]).text(limit: Self.maximumIDLength),
            lower: try Self.number(line.extracting(fields[lower]), "the start of a lifetime"),
            upper: try Self.number(line.extracting(fields[upper]), "the end of a lifetime"),
            byteCount: try Self.number(line.extracting(fields[size]), "a size"))
        guard item.lower < item.upper else {
            throw .malformed(expected: "an upper end above the lower", found: "\(item.lower) to \(item.upper)")
        }
        guard item.byteCount > 0 else { throw .malformed(expected: "a size above 0", found: "\(item.byteCount)") }
        return item
    }

    private static func number(_ field: Span<UInt8>, _ name: String) throws(TraceReadError.Problem) -> Int {
        let isNegative = !field.isEmpty && field[0] == UInt8(ascii: "-")
        guard let magnitude = UInt64(decimal: field.extracting((isNegative ? 1 : 0)...)),
            let value = Int(exactly: magnitude)
        else {
            throw .malformed(expected: "\(name) as a whole number", found: field.quoted())
        }
        return isNegative ? -value : value
    }

    private static func fields(of line: Span<UInt8>) -> [Range<Int>] {
        var fields: [Range<Int>] = []
        var start = 0
        for index in 0...line.count where index == line.count || line[index] == UInt8(ascii: ",") {
            fields.append(start..<index)
            start = index + 1
        }
        return fields
    }
}
