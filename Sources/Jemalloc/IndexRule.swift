/// Which numbers may stand at an index of a key.
///
/// jemalloc 5.3.0 does not check all of them: `arena.4096.dirty_decay_ms` reads beyond its table of arenas, the index
/// one past the last is let through (and means "all arenas" to `purge` and to the statistics, by a deprecated rule), and
/// so is one past the last bin. (src/ctl.c: `arena_i_index`, `arenas_i2a_impl`, `arenas_bin_i_index`.)
struct IndexRule: Sendable {
    enum Kind: Sendable {
        case arena
        case arenaOrAll
        case arenaStatistics
        case bin
        case largeClass
    }

    /// Stands for all arenas (`MALLCTL_ARENAS_ALL` in jemalloc.h).
    static let allArenas = 4096
    /// Stands for the arenas that have been destroyed, in statistics (`MALLCTL_ARENAS_DESTROYED`).
    static let destroyedArenas = 4097

    let kind: Kind
    /// Which component of the name the index is.
    let position: Int

    /// The rules for a name in components.
    static func rules(for components: [String]) -> [IndexRule] {
        var rules: [IndexRule] = []
        if components.count > 2, components[0] == "arena" {
            let reachesAll = ["purge", "decay", "dss", "initialized"].contains(components[2])
            rules.append(IndexRule(kind: reachesAll ? .arenaOrAll : .arena, position: 1))
        } else if components.starts(with: ["stats", "arenas"]) {
            rules.append(IndexRule(kind: .arenaStatistics, position: 2))
            if components.count > 4, let kind = classKind[components[3]] {
                rules.append(IndexRule(kind: kind, position: 4))
            }
        } else if components.count > 2, components[0] == "arenas", let kind = classKind[components[1]] {
            rules.append(IndexRule(kind: kind, position: 2))
        }
        return rules
    }

    private static let classKind: [String: Kind] = [
        "bin": .bin, "bins": .bin, "lextent": .largeClass, "lextents": .largeClass,
    ]

    /// Whether `index` names something. A count that cannot be read allows nothing.
    func allows(_ index: Int) -> Bool {
        switch kind {
        case .arena: index >= 0 && index < Self.arenaCount
        case .arenaOrAll: index == Self.allArenas || index >= 0 && index < Self.arenaCount
        case .arenaStatistics:
            index == Self.allArenas || index == Self.destroyedArenas || index >= 0 && index < Self.arenaCount
        case .bin: index >= 0 && index < Self.binCount
        case .largeClass: index >= 0 && index < Self.largeClassCount
        }
    }

    private static let arenaCountKey = ControlKey<UInt32>.resolve("arenas.narenas")
    private static let binCount = Int((try? ControlKey<UInt32>("arenas.nbins").read()) ?? 0)
    private static let largeClassCount = Int((try? ControlKey<UInt32>("arenas.nlextents").read()) ?? 0)

    /// How many arena indices there are now; grows as arenas are made, and never shrinks.
    private static var arenaCount: Int {
        Int((try? arenaCountKey.get().read()) ?? 0)
    }
}
