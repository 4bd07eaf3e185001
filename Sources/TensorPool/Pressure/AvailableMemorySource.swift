/// The memory the machine has left for new work: `MemAvailable` of `/proc/meminfo`.
public struct AvailableMemorySource: MemoryPressureSource {
    private let root: String
    private static let file = "/proc/meminfo"

    /// Reads this machine's figures.
    public init() { self.init(root: "") }

    package init(root: String) { self.root = root }

    /// The bytes available and in all; none where the file is missing or makes no sense.
    public func read() -> [MemoryPressureReading] {
        guard let text = SmallFile.read(root + Self.file), let total = SmallFile.number("MemTotal:", in: text),
            let available = SmallFile.number("MemAvailable:", in: text), total > 0, total < 1 << 50,
            available <= total
        else { return [] }
        return [
            .availableMemory(
                AvailableMemoryFigures(
                    file: Self.file, availableByteCount: available << 10, totalByteCount: total << 10))
        ]
    }
}
