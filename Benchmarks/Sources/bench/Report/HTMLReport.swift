struct HTMLReport {
    init(_ results: Results) {}
    var text: String { "" }
}
