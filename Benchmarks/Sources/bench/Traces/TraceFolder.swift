import Foundation

/// Finds the traces of tensors in folders.
enum TraceFolder {
    static let suffix = ".tensor.csv.gz"

    /// The files by name, each name once.
    static func traces(in folders: [String]) -> [(name: String, path: String)] {
        var found: [String: String] = [:]
        for folder in folders {
            // A folder that is not there holds no traces: some of the default ones may be missing.
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for name in names where name.hasSuffix(suffix) {
                let short = String(name.dropLast(suffix.count))
                found[short] = found[short] ?? "\(folder)/\(name)"
            }
        }
        return found.sorted { $0.key < $1.key }.map { (name: $0.key, path: $0.value) }
    }
}
