import ArgumentParser

/// The allocators that a trace can be replayed on.
enum PoolChoice: String, CaseIterable, Codable, ExpressibleByArgument {
    case jemalloc
    case system
}
