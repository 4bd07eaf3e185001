/// Whole pages of weights, and what was done to them.
@safe struct WeightRange {
    /// What can be done to pages.
    enum Protection {
        case frozen, locked
    }

    let start: UnsafeMutableRawPointer
    /// Bytes from the start that hold weights, whole pages.
    let used: Int
    /// Bytes from the start that are read-only.
    var frozen = 0
    /// Bytes from the start that are locked in memory.
    var locked = 0

    subscript(protection: Protection) -> Int {
        get { protection == .frozen ? frozen : locked }
        set { if protection == .frozen { frozen = newValue } else { locked = newValue } }
    }
}
