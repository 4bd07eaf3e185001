import ArgumentParser

/// The allocators that a trace can be replayed on.
enum PoolChoice: String, CaseIterable, Codable, ExpressibleByArgument {
    case standard
    case optimized
    case adaptive
    case jemalloc
    case system
}
