/// The numbers of the binary trace format. `Documentation/TraceFormat.md` describes it.
enum BinaryTrace {
    /// The first byte is no text, and the line breaks show a transfer that changes them.
    static let magic: [UInt8] = [0x89, 0x54, 0x50, 0x54, 0x0d, 0x0a, 0x1a, 0x0a]
    static let version = 1
    /// Magic, version (2 bytes), length of the fields (4 bytes).
    static let prefixLength = 14
    static let maximumHeaderLength = 1 << 16

    /// Stands before every chunk, so that reading can go on behind a damaged one.
    static let chunkMarker: [UInt8] = Array("TPCK".utf8)
    /// Marker, kind (1 byte), length of the payload (4 bytes), check sum (4 bytes).
    static let chunkPrefixLength = 13
    /// So that a whole chunk fits into a reader's buffer.
    static let maximumChunkLength = 1 << 17

    enum ChunkKind: UInt8 {
        case events = 1
        case threads = 2
        case end = 3
        case samples = 4
    }

    enum HeaderField: UInt64 {
        case order = 1
        case epoch = 2
        case startNanoseconds = 3
        case operatingSystem = 4
        case processorCount = 5
        case pageBytes = 6
        case memoryBytes = 7
    }

    /// What the first byte of an event says.
    struct EventFlags: OptionSet {
        let rawValue: UInt8

        static let isFree = EventFlags(rawValue: 1)
        static let hasTimeStep = EventFlags(rawValue: 2)
        static let hasThread = EventFlags(rawValue: 4)
        static let hasTensorID = EventFlags(rawValue: 8)
        static let hasNoSize = EventFlags(rawValue: 16)
        static let known: EventFlags = [.isFree, .hasTimeStep, .hasThread, .hasTensorID, .hasNoSize]
    }
}
