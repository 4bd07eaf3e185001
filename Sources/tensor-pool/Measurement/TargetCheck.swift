/// One figure that the project promises, and what this run found.
struct TargetCheck: Codable, Equatable {
    /// Which way the figure must lie.
    enum Direction: String, Codable {
        case atMost
        case below
        case atLeast
        case above
    }

    /// Stable, for scripts.
    let name: String
    /// What it says, in words.
    let promise: String
    let found: Double
    let direction: Direction
    let bound: Double
    /// What the two figures are in: `ns`, `bytes`, `times`, `share`.
    let unit: String
    /// Where the figure comes from, such as the size with the worst.
    let at: String
    let holds: Bool

    init(
        _ name: String, _ promise: String, found: Double, _ direction: Direction, _ bound: Double, unit: String,
        at place: String
    ) {
        self.name = name
        self.promise = promise
        self.found = found
        self.direction = direction
        self.bound = bound
        self.unit = unit
        at = place
        holds =
            switch direction {
            case .atMost: found <= bound
            case .below: found < bound
            case .atLeast: found >= bound
            case .above: found > bound
            }
    }
}
