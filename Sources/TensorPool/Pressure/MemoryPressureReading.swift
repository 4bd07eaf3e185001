/// What one source said.
public enum MemoryPressureReading: Sendable, Hashable {
    /// How long work waited for memory.
    case stalls(StallFigures)
    /// How much of a control group's limit is used.
    case controlGroup(ControlGroupFigures)
    /// How much memory the machine has left.
    case availableMemory(AvailableMemoryFigures)
    /// A source of the program's own, with the level it says.
    case other(name: String, level: MemoryPressureLevel)

    /// Whether it tells how full memory is, so that no last resort is needed.
    var tellsUse: Bool {
        switch self {
        case .stalls: false
        case .controlGroup, .availableMemory, .other: true
        }
    }
}

/// Time in which work waited for memory (Linux, Documentation/accounting/psi.rst).
public struct StallFigures: Sendable, Hashable {
    /// The file that said so.
    public let file: String
    /// Percent of the last ten seconds in which some work waited.
    public let some: Double
    /// Percent of the last ten seconds in which all work waited.
    public let full: Double
}

/// A control group's memory and its limits, in bytes (Linux, Documentation/admin-guide/cgroup-v2.rst and
/// cgroup-v1/memory.rst).
public struct ControlGroupFigures: Sendable, Hashable {
    /// The file that said how much is used.
    public let file: String
    /// Bytes that the group uses, without file pages that nobody used lately: those the kernel takes first.
    public let usedByteCount: Int
    /// Bytes above which the group's processes are killed; nil where only ``throttleByteCount`` limits the group.
    public let limitByteCount: Int?
    /// Bytes above which the group's processes are slowed down (`memory.high`); nil for none.
    public let throttleByteCount: Int?
    /// How often the process's own group ran out of memory, counted since it was made; nil where the system does not
    /// tell. A rise between two looks is critical.
    public internal(set) var outOfMemoryCount: Int?
    /// How often the process's own group ran into its limit and got memory all the same. Idle file pages do that too,
    /// so it sets no level.
    public internal(set) var limitHitCount: Int?

    /// Percent of ``limitByteCount`` in use; nil without one.
    public var limitPercent: Double? { limitByteCount.map { 100 * Double(usedByteCount) / Double($0) } }

    /// Percent of ``throttleByteCount`` in use; nil without one.
    public var throttlePercent: Double? { throttleByteCount.map { 100 * Double(usedByteCount) / Double($0) } }

    /// Percent of the tighter of the two limits.
    public var usedPercent: Double { max(limitPercent ?? 0, throttlePercent ?? 0) }
}

/// The machine's memory, in bytes.
public struct AvailableMemoryFigures: Sendable, Hashable {
    /// The file that said so.
    public let file: String
    /// Bytes that new work can have without swapping, by the kernel's estimate.
    public let availableByteCount: Int
    /// Bytes of the machine.
    public let totalByteCount: Int

    /// Percent in use.
    public var usedPercent: Double { 100 * (1 - Double(availableByteCount) / Double(totalByteCount)) }
}

extension MemoryPressureReading: CustomStringConvertible {
    /// A file and what it said.
    public var description: String {
        switch self {
        case .stalls(let figures): "\(figures.file): some \(figures.some) %, full \(figures.full) % of 10 s"
        case .controlGroup(let figures):
            "\(figures.file): "
                + [(figures.limitPercent, "the limit"), (figures.throttlePercent, "memory.high")].compactMap {
                    percent, name in percent.map { "\($0.wholeNumber(.down)) % of \(name)" }
                }.joined(separator: ", ")
        case .availableMemory(let figures):
            "\(figures.file): \(figures.usedPercent.wholeNumber(.down)) % of memory in use"
        case .other(let name, let level): "\(name): \(level)"
        }
    }
}
