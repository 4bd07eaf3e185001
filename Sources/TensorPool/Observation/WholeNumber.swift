extension Double {
    /// A whole number as text; as it stands where no `Int` is so large.
    func wholeNumber(_ rule: FloatingPointRoundingRule = .toNearestOrAwayFromZero) -> String {
        Int(exactly: rounded(rule)).map { "\($0)" } ?? "\(self)"
    }
}
