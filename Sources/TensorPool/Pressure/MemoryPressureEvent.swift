/// What a look at memory pressure led to.
public struct MemoryPressureEvent: Sendable, Hashable {
    /// The level from now on.
    public let level: MemoryPressureLevel
    /// The level before.
    public let previousLevel: MemoryPressureLevel
    /// What the sources said.
    public let readings: [MemoryPressureReading]
    /// What the level took from the pools; nil where it took nothing.
    public let trim: TrimResult?
    /// What was given back for its age (`idleReleaseAfter`); nil where nothing was old enough.
    public let idleRelease: TrimResult?
}

extension MemoryPressureEvent: CustomStringConvertible {
    /// The levels, the figures, and what was given back.
    public var description: String {
        var parts = [level == previousLevel ? "\(level)" : "\(previousLevel) -> \(level)"]
        parts += readings.map(\.description)
        for (name, result) in [("trim", trim), ("idle", idleRelease)] {
            guard let result else { continue }
            let resident = result.residentBytesReturned.map { ", resident memory fell by \($0)" } ?? ""
            parts.append("\(name): \(result.releasedBytes) bytes released\(resident)")
        }
        return parts.joined(separator: "; ")
    }
}
