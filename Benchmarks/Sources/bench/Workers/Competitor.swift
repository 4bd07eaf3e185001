/// Something that hands out memory, and how a process that measures it is started.
struct Competitor: Codable, Hashable {
    enum Kind: String, Codable {
        /// A malloc: measured by the C worker, preloaded where it is not the system's.
        case peer
        /// The offline plan: no allocator at all.
        case floor
        /// A pool of ours.
        case pool
        /// What Swift itself offers.
        case swift
    }

    /// The pools that keep memory: what is promised of every pool is promised of these.
    static let judged = ["optimized", "adaptive"]

    let name: String
    let kind: Kind
    /// The library to preload, as the loader finds it; nil for none.
    var library: String?
    var environment: [String: String] = [:]
    /// What the worker is told.
    var argument = ""

    /// The environment its process gets.
    var processEnvironment: [String: String] {
        guard let library else { return environment }
        return environment.merging(["LD_PRELOAD": library]) { $1 }
    }
}

extension Competitor {
    /// Each malloc as it comes, and set to keep what it was given: whichever is better counts as its best.
    static let peers = [
        Competitor(name: "glibc", kind: .peer),
        Competitor(
            name: "glibc warm", kind: .peer,
            environment: ["GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776"]),
        Competitor(name: "jemalloc", kind: .peer, library: "libjemalloc.so.2"),
        Competitor(
            name: "jemalloc warm", kind: .peer, library: "libjemalloc.so.2",
            environment: ["MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1"]),
        // Without an arena of its own for 8 MiB and more, which shares nothing with the rest.
        Competitor(
            name: "jemalloc warm, one arena", kind: .peer, library: "libjemalloc.so.2",
            environment: ["MALLOC_CONF": "dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0"]),
        Competitor(name: "tcmalloc", kind: .peer, library: "libtcmalloc_minimal.so.4"),
        Competitor(
            name: "tcmalloc warm", kind: .peer, library: "libtcmalloc_minimal.so.4",
            environment: ["TCMALLOC_RELEASE_RATE": "0", "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES": "268435456"]),
        Competitor(name: "mimalloc", kind: .peer, library: "libmimalloc.so.2"),
        Competitor(
            name: "mimalloc warm", kind: .peer, library: "libmimalloc.so.2",
            environment: [
                "MIMALLOC_RESERVE_OS_MEMORY": "1GiB", "MIMALLOC_ALLOW_DECOMMIT": "0", "MIMALLOC_PAGE_RESET": "0",
            ]),
    ]

    static let floor = Competitor(name: "floor", kind: .floor)

    /// Our pools, each with its default configuration.
    static let pools = ["standard", "optimized", "adaptive"].map { Competitor(name: $0, kind: .pool, argument: $0) }

    static let swift = [
        Competitor(name: "UnsafeMutableRawPointer.allocate", kind: .swift, argument: "raw"),
        Competitor(name: "[Float](unsafeUninitializedCapacity:)", kind: .swift, argument: "uninitialized-array"),
        Competitor(name: "[Float](repeating:count:)", kind: .swift, argument: "zeroed-array"),
    ]

    /// The peers that the loader finds, and the names of those it does not.
    static func findPeers() throws -> (found: [Competitor], missing: [String]) {
        var found: [Competitor] = []
        var missing: [String] = []
        for peer in peers {
            let output = try Worker.run("peer-worker", ["populate", "2097152"], environment: peer.processEnvironment)
            // The loader goes on without a library it does not find: ask where malloc comes from.
            let origin = output.text("malloc") ?? ""
            if origin.contains(peer.library?.prefix { $0 != "." } ?? "libc.so") {
                found.append(peer)
            } else {
                missing.append(peer.name)
            }
        }
        return (found, missing)
    }
}
