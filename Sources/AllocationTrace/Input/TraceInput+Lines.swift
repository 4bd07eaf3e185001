extension TraceInput {
    struct Line {
        /// Where its bytes are in ``TraceInput/buffer``, without the line break.
        let bytes: Range<Int>
        /// False for a last line that no line break ends.
        let isComplete: Bool
    }

    /// A longer line is a problem and not a reason to grow.
    static var maximumLineLength: Int { 4096 }

    /// The next line, or nil after the last. The range stays valid until the next call.
    mutating func nextLine() throws(TraceReadError.Problem) -> Line? {
        var searched = 0
        while true {
            let start = unread.lowerBound
            if let lineBreak = buffer[(start + searched)..<unread.upperBound].firstIndex(of: UInt8(ascii: "\n")) {
                take(lineBreak + 1 - start)
                return try finished(start..<lineBreak, isComplete: true)
            }
            guard unread.count <= Self.maximumLineLength else {
                lineNumber += 1
                throw Self.lineTooLong
            }
            searched = unread.count
            if try !fill() {
                guard !unread.isEmpty else { return nil }
                let line = unread
                take(line.count)
                return try finished(line, isComplete: false)
            }
        }
    }

    private mutating func finished(_ line: Range<Int>, isComplete: Bool) throws(TraceReadError.Problem) -> Line {
        lineNumber += 1
        guard line.count <= Self.maximumLineLength else { throw Self.lineTooLong }
        let endsInReturn = !line.isEmpty && buffer[line.upperBound - 1] == UInt8(ascii: "\r")
        return Line(bytes: endsInReturn ? line.dropLast() : line, isComplete: isComplete)
    }

    private static var lineTooLong: TraceReadError.Problem {
        .malformed(expected: "a line of at most \(maximumLineLength) bytes", found: "a longer one")
    }
}
