import ArgumentParser

/// How a command prints its figures that can print them as CSV, too.
enum FigureFormat: String, CaseIterable, ExpressibleByArgument {
    case table
    case json
    case csv
}
