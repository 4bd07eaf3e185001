/// The share of time in which work waited for memory: Linux's pressure stall information, since 4.20.
public struct PressureStallSource: MemoryPressureSource {
    /// The file, as it is named in readings.
    public let file: String
    private let root: String

    /// Reads the whole machine's stalls, or those of one control group from its `memory.pressure`.
    public init(file: String = "/proc/pressure/memory") { self.init(root: "", file: file) }

    package init(root: String, file: String = "/proc/pressure/memory") {
        self.root = root
        self.file = file
    }

    /// The averages over ten seconds; none where the kernel keeps none or the file makes no sense.
    public func read() -> [MemoryPressureReading] {
        guard let text = SmallFile.read(root + file) else { return [] }
        var shares: [Substring: Double] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let kind = fields.first, let average = fields.first(where: { $0.hasPrefix("avg10=") }),
                let share = Double(average.dropFirst(6)), (0...100).contains(share)
            else { continue }
            shares[kind] = share
        }
        guard let some = shares["some"] else { return [] }
        return [.stalls(StallFigures(file: file, some: some, full: shares["full"] ?? 0))]
    }
}
