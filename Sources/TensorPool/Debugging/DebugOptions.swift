#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What a pool looks for in the way a program uses its tensors. All off by default.
///
/// As text, in a configuration file or in the environment variable `TENSOR_POOL_DEBUG`, the words in any order:
/// `fill,guard,pages=1/10000,faults,leaks,track,backtraces`. A pool has what its configuration asks for and what the
/// variable asks for when the pool is made; where both name a share of guard pages, the variable's holds.
///
/// With ``fillsMemory``, ``usesGuardBytes``, ``reportsLeaks``, ``tracksTensors`` or ``capturesBacktraces``, or with guard
/// pages for more than one tensor in 2,048, every tensor comes straight from an arena and the pool keeps no
/// caches: each is a call of jemalloc under the pool's lock, and its bytes are written and read for ``fillsMemory``. Guard
/// pages for fewer cost no instruction of the path of a cache hit, and are made to stay on.
public struct DebugOptions: Sendable, Hashable {
    /// `fill`: fresh tensors read as `A5` bytes, unless zeroed ones were asked for, and freed ones are overwritten with
    /// `5A` and kept back for a while (16 MiB a pool): what was written into one meanwhile is a finding.
    public var fillsMemory = false
    /// `guard`: 64 bytes before and after each tensor are checked when it is freed.
    public var usesGuardBytes = false
    /// `pages=1/N`: one in so many tensors, drawn at random, gets pages of its own between inaccessible ones, and these
    /// stay inaccessible after the free, until the pool freed 128 others so: the access itself fails, reads too. Tensors
    /// over 64 MiB and weights are not drawn. From 1 in 2,048 on, made for production, a tensor of more than 16 pages is
    /// drawn as much more rarely as it has more of them: their first touch would be the cost. Nil for none.
    public var guardPageInterval: Int?
    /// `faults`: installs a handler of SIGSEGV and SIGBUS for the process, which says which tensor a failed access to
    /// guard pages belongs to and leaves the signal to the handler before it. Needs ``guardPageInterval``.
    public var explainsFaults = false
    /// `leaks`: what is live when the pool is dropped, or at the exit of the process, is a finding each.
    public var reportsLeaks = false
    /// `track`: findings name the threads that allocated and freed the tensor, and a handle that is freed twice is a
    /// finding that names all three, beside the error that it is anyway. The last 4,096 frees are known.
    public var tracksTensors = false
    /// `backtraces`: as ``tracksTensors``, with the stacks, in guard pages too.
    public var capturesBacktraces = false

    /// Makes options with everything off.
    public init() {}

    /// The environment variable that is read when a pool is made.
    public static let environmentVariable = "TENSOR_POOL_DEBUG"
    /// The most tensors of which one may get guard pages.
    static let maximumInterval = 1_000_000_000

    /// Reads options as text; no words are no options.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)`` for an unknown word, with the known ones.
    public init(_ text: String) throws(TensorPoolError) { try self.init(text, setting: "debugging") }

    init(_ text: String, setting: String) throws(TensorPoolError) {
        for part in text.split(separator: ",") {
            let word = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            switch String(word) {
            case "": continue
            case "fill": fillsMemory = true
            case "guard": usesGuardBytes = true
            case "faults": explainsFaults = true
            case "leaks": reportsLeaks = true
            case "track": tracksTensors = true
            case "backtraces": capturesBacktraces = true
            case let word where word.hasPrefix("pages=1/"):
                guard let interval = Int(word.dropFirst("pages=1/".count)) else {
                    throw .invalidConfiguration(setting: setting, value: word, reason: Self.intervalReason)
                }
                guardPageInterval = interval
            case let word:
                throw .invalidConfiguration(
                    setting: setting, value: word,
                    reason:
                        "there is no such word; known are fill, guard, pages=1/N, faults, leaks, track, backtraces, separated by commas"
                )
            }
        }
        try validate(setting: setting)
    }

    private static let intervalReason = "a share is 1/1 to 1/\(maximumInterval), such as pages=1/10000"

    func validate(setting: String = "debugging") throws(TensorPoolError) {
        if let guardPageInterval, !(1...Self.maximumInterval).contains(guardPageInterval) {
            throw .invalidConfiguration(
                setting: setting, value: "pages=1/\(guardPageInterval)", reason: Self.intervalReason)
        }
        if explainsFaults && guardPageInterval == nil {
            throw .invalidConfiguration(
                setting: setting, value: "faults", reason: "faults are explained in guard pages: give pages=1/N too")
        }
    }

    /// What the environment asks for at this moment.
    static func fromEnvironment() throws(TensorPoolError) -> DebugOptions {
        guard let text = unsafe getenv(environmentVariable) else { return DebugOptions() }
        return try DebugOptions(unsafe String(cString: text), setting: environmentVariable)
    }

    /// These options and others, whose share of guard pages holds where both have one.
    func union(_ other: DebugOptions) -> DebugOptions {
        var union = self
        union.fillsMemory = fillsMemory || other.fillsMemory
        union.usesGuardBytes = usesGuardBytes || other.usesGuardBytes
        union.guardPageInterval = other.guardPageInterval ?? guardPageInterval
        union.explainsFaults = explainsFaults || other.explainsFaults
        union.reportsLeaks = reportsLeaks || other.reportsLeaks
        union.tracksTensors = tracksTensors || other.tracksTensors
        union.capturesBacktraces = capturesBacktraces || other.capturesBacktraces
        return union
    }

    // MARK: - What follows from them

    /// Whether anything is on.
    var isActive: Bool { self != DebugOptions() }

    /// Whether places in the program are noted.
    var notesLocations: Bool { tracksTensors || capturesBacktraces }

    /// Whether every tensor is watched, and not a sample: the thread's caches would serve some unseen.
    var watchesEveryTensor: Bool {
        fillsMemory || usesGuardBytes || reportsLeaks || notesLocations
            || guardPageInterval.map { unsafe $0 < CacheBin.firstSampleInterval } ?? false
    }
}

extension DebugOptions: CustomStringConvertible {
    /// The options as text, as ``init(_:)`` reads them.
    public var description: String {
        var words: [String] = []
        if fillsMemory { words.append("fill") }
        if usesGuardBytes { words.append("guard") }
        if let guardPageInterval { words.append("pages=1/\(guardPageInterval)") }
        if explainsFaults { words.append("faults") }
        if reportsLeaks { words.append("leaks") }
        if tracksTensors { words.append("track") }
        if capturesBacktraces { words.append("backtraces") }
        return words.joined(separator: ",")
    }
}

/// As settings: the text.
extension DebugOptions: Codable {
    /// Reads and checks the text.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)``.
    public init(from decoder: any Decoder) throws {
        let setting = decoder.codingPath.map(\.stringValue).joined(separator: ".")
        try self.init(decoder.singleValueContainer().decode(String.self), setting: setting)
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
