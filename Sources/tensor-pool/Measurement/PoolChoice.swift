import ArgumentParser

/// The allocators that a trace can be replayed on.
enum PoolChoice: String, CaseIterable, Codable, ExpressibleByArgument {
    case standard
    case optimized
    case adaptive
    case jemalloc
    case system
    case tcmalloc
    case mimalloc

    /// Those that need nothing installed beside this package.
    static let ownAndSystem: [PoolChoice] = [.standard, .optimized, .adaptive, .jemalloc, .system]
}

/// The allocators that pools are compared with, by their own names.
enum PeerName: String, CaseIterable, ExpressibleByArgument {
    case glibc
    case jemalloc
    case tcmalloc
    case mimalloc

    var choice: PoolChoice {
        switch self {
        case .glibc: .system
        case .jemalloc: .jemalloc
        case .tcmalloc: .tcmalloc
        case .mimalloc: .mimalloc
        }
    }
}

/// Names with commas between them, each once.
struct NameList<Name: RawRepresentable & CaseIterable>: ExpressibleByArgument where Name.RawValue == String {
    let names: [Name]

    init?(argument: String) {
        let words = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let names = words.compactMap { Name(rawValue: $0) }
        guard names.count == words.count, Set(words).count == words.count else { return nil }
        self.names = names
    }

    static var allValueStrings: [String] { Name.allCases.map(\.rawValue) }
}

extension NameList<PeerName> {
    /// Throws where the library of one is missing.
    func checkInstalled() throws(SystemMallocHelperError) {
        for name in names { _ = try PreloadedMalloc(rawValue: name.rawValue)?.library() }
    }
}
