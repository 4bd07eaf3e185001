/// A byte limit from what the system lets the process have.
extension HybridMemoryPool.Configuration {
    /// Makes a configuration whose ``byteLimit`` is a share of ``processMemoryLimit()``, as it is now: 0.75 of a container
    /// of 4 GiB is a limit of 3 GiB, at which an allocation throws ``TensorPoolError/limitReached(_:)``.
    ///
    /// The system kills a process that uses all of its memory, whatever the pools' limit is. So the share leaves room for
    /// the rest of the program, and for what the pools hold beyond their limit: pages that arenas keep until they decay
    /// (none with `decayMilliseconds` of 0; a running ``MemoryPressureMonitor`` gives them back as memory gets short), up
    /// to 2 MiB a slab with huge pages, and bookkeeping.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)`` for a share that is not above 0 and at
    ///   most 1, or less than a byte.
    public init(memoryShare share: Double, decayMilliseconds: Int = 10_000) throws(TensorPoolError) {
        try self.init(
            memoryShare: share, of: Self.processMemoryLimit(), decayMilliseconds: decayMilliseconds)
    }

    init(memoryShare share: Double, of limit: Int, decayMilliseconds: Int) throws(TensorPoolError) {
        guard share > 0, share <= 1, share * Double(limit) >= 1 else {
            throw .invalidConfiguration(
                setting: "memoryShare", value: "\(share)",
                reason: "a share of the process's \(limit) bytes is above 0 and at most 1, and no less than a byte")
        }
        // A limit above 2^53 may be rounded up.
        self.init(byteLimit: min(Int(share * Double(limit)), limit), decayMilliseconds: decayMilliseconds)
    }

    /// Bytes of memory that this process may use: the least limit of its control group and those above it (Linux;
    /// `memory.max` and `memory.high` of version 2, the limit of version 1), or all of the machine's memory where none
    /// has one. Limits on address space are not looked at: beyond them memory is refused, and nothing killed.
    ///
    /// Threads may call it at any time. Cost: a few files of the system, as ``MemoryPressure/current()``.
    public static func processMemoryLimit() -> Int { processMemoryLimit(root: "") }

    /// Reads below another root than `/`, for tests.
    static func processMemoryLimit(root: String) -> Int {
        let groups = ControlGroupSource(root: root)
        return groups.lowestLimit() ?? groups.machineByteCount
    }
}
