/// The memory the machine has left for new work: `MemAvailable` of `/proc/meminfo`.
public struct AvailableMemorySource: MemoryPressureSource {
    private let root: String
    private static let file = "/proc/meminfo"

    /// Reads this machine's figures.
    public init() { self.init(root: "") }

    package init(root: String) { self.root = root }

    /// The bytes available and in all; none where the file is missing or makes no sense.
    public func read() -> [MemoryPressureReading] {
        guard let text = SmallFile.read(root + Self.file), let total = Self.total(in: text),
            let available = SmallFile.number("MemAvailable:", in: text), available <= total >> 10
        else { return [] }
        return [
            .availableMemory(
                AvailableMemoryFigures(file: Self.file, availableByteCount: available << 10, totalByteCount: total))
        ]
    }

    /// Bytes of the machine; nil where the file is missing or makes no sense.
    func totalByteCount() -> Int? { SmallFile.read(root + Self.file).flatMap { Self.total(in: $0) } }

    private static func total(in text: String) -> Int? {
        guard let total = SmallFile.number("MemTotal:", in: text), total > 0, total < 1 << 50 else { return nil }
        return total << 10
    }
}
