import AllocationTrace
import Testing

@Suite struct PlanningProblemReadingTests {
    private static let small = "id,lower,upper,size\na,0,10,4\nb,5,6,100\nc,10,11,7\n"

    private func read(_ text: String) throws -> PlanningProblem {
        let file = try TemporaryFile(text)
        return try PlanningProblem.read(file.path)
    }

    @Test func readsItems() throws {
        let items = try read(Self.small).items
        #expect(
            items == [
                PlanningProblem.Item(id: "a", lower: 0, upper: 10, byteCount: 4),
                PlanningProblem.Item(id: "b", lower: 5, upper: 6, byteCount: 100),
                PlanningProblem.Item(id: "c", lower: 10, upper: 11, byteCount: 7),
            ])
        let file = try TemporaryFile(gzip: Self.small)
        #expect(try PlanningProblem.read(file.path).items == items)
    }

    @Test(arguments: [
        "size,upper,id,offset,lower\n4,10,a,0,0\n100,6,b,,5\n7,11,c,x,10\n",
        "\u{FEFF}id,lower,upper,size\r\na,0,10,4\r\n\r\nb,5,6,100\r\nc,10,11,7",
    ])
    func readsOtherSpellings(text: String) throws {
        #expect(try read(text) == read(Self.small))
    }

    @Test(arguments: [
        ("x,0,1", "as many columns", 5), ("x,zero,1,1", "the start of a lifetime", 5),
        ("x,0,99999999999999999999,1", "the end of a lifetime", 5), ("x,0,1,-", "a size", 5),
        ("x,0,1,0", "a size above 0", 5), ("x,0,1,-4", "a size above 0", 5), ("x,5,5,1", "an upper end", 5),
        ("x,0,1,2000000000000000000", "fit into one plan", 5),
    ])
    func namesWhatIsMalformed(row: String, expected: String, line: Int) throws {
        let file = try TemporaryFile(Self.small + row + "\n")
        let error = try #require(throws: TraceReadError.self) { try PlanningProblem.read(file.path) }
        #expect(error.line == line)
        #expect(error.description.contains(expected))
    }

    @Test(arguments: ["", "\n", "id,lower,upper\n", "id,id,lower,upper,size\n", "Thread,Time\n"])
    func wantsItsHeader(text: String) throws {
        let file = try TemporaryFile(text)
        let error = try #require(throws: TraceReadError.self) { try PlanningProblem.read(file.path) }
        #expect(error.description.contains("columns id, lower, upper and size"))
    }

    /// A plan for some of the tensors would be none.
    @Test func aCutFileIsAnError() throws {
        let bytes = try TemporaryFile(gzip: Self.small).bytes
        let file = try TemporaryFile(bytes[..<(bytes.count - 9)])
        #expect(throws: TraceReadError.self) { try PlanningProblem.read(file.path) }
    }

    @Test func limitsItems() throws {
        let file = try TemporaryFile(Self.small)
        #expect(try PlanningProblem.read(file.path, maximumItems: 3).items.count == 3)
        #expect(throws: TraceReadError.self) { try PlanningProblem.read(file.path, maximumItems: 2) }
    }

    @Test func isReadAsATraceToo() throws {
        let file = try TemporaryFile(Self.small)
        let read = try TraceFile.read(file.path)
        #expect(read.format == .minimalloc)
        #expect(read.trace.events.map(\.kind) == [.allocate, .allocate, .free, .free, .allocate, .free])
        #expect(read.trace.events.map(\.byteCount) == [4, 100, 100, 4, 7, 7])
        #expect(read.trace.summary.peakLiveBytes == 104)
        #expect(read.trace.times.isEmpty)
        #expect(read.trace.irregularities.isEmpty)
    }
}
