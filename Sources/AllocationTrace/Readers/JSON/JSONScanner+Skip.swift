extension JSONScanner {
    /// Passes over one value of any kind.
    mutating func skipValue() throws(Stop) {
        guard let first = try peek() else { throw .endOfInput }
        switch first {
        case UInt8(ascii: "\""):
            input.take(1)
            try skipStringRest()
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            input.take(1)
            try skipRest(isObject: first == UInt8(ascii: "{"))
        default:
            guard try !scalar().bytes.isEmpty else { throw problem(expected: "a value") }
        }
    }

    /// Passes over the rest of an object or array of which any whole values have been taken, its closing bracket
    /// included.
    mutating func skipRest(isObject: Bool) throws(Stop) {
        var nesting = BracketStack(isObject: isObject)
        while true {
            var length = 0
            let stop = JSONBytes.skip(input.unreadSpan, &length, &nesting)
            input.take(length)
            switch stop {
            case .done: return
            case .string: try skipStringRest()
            case .tooDeep: throw problem(expected: "at most \(BracketStack.maximumDepth) brackets within each other")
            case .mismatch: throw problem(expected: "the closing bracket of what is open")
            case .endOfBytes: guard try fill() else { throw .endOfInput }
            }
        }
    }

    /// Passes over a string whose opening quote has been taken.
    mutating func skipStringRest() throws(Stop) {
        var hasEscapes = false
        while true {
            var length = 0
            if JSONBytes.stringEnd(input.unreadSpan, &length, &hasEscapes) {
                input.take(length + 1)
                return
            }
            // An escape that goes on beyond the buffer has its second byte passed over with what comes.
            let reach = length - input.unread.count
            input.take(input.unread.count)
            guard try fill() else { throw .endOfInput }
            input.take(reach)
        }
    }
}
