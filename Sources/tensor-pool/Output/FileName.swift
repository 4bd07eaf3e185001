/// What a path from the command line is called in what people read.
enum FileName {
    /// What stands for standard input and standard output.
    static let stream = "-"

    static func input(_ path: String) -> String { path == stream ? "standard input" : path }
    static func output(_ path: String) -> String { path == stream ? "standard output" : path }
}
