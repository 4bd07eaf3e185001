extension HybridMemoryPool {
    /// How a base pool is set up.
    public struct Configuration: Sendable, Hashable {
        /// The most bytes that all pools on the base may hold together: live tensors, their padding, cached and
        /// prewarmed memory. Nil for no limit. Never exceeded, by any thread, for any instant.
        ///
        /// Resident memory can be up to 2 MiB a slab higher where huge pages are in use.
        public var byteLimit: Int?

        /// Milliseconds after which freed pages of the standard arenas go back to the system; 0 for at once, -1 for
        /// never. jemalloc's own default is 10,000. Decay moves on when the arena is used, or by a trim.
        public var decayMilliseconds: Int

        /// What is looked for in the tensors that come from the base itself; pools have options of their own.
        public var debugging = DebugOptions()
        /// Whether tensors of the base itself are overwritten with zeros when they are freed, before their memory can be
        /// used again or goes back.
        public var scrubOnFree = false

        /// Makes a configuration: no limit, decay in ten seconds.
        public init(byteLimit: Int? = nil, decayMilliseconds: Int = 10_000) {
            self.byteLimit = byteLimit
            self.decayMilliseconds = decayMilliseconds
        }

        func validate() throws(TensorPoolError) {
            try PoolLimits.validate(byteLimit: byteLimit)
            try debugging.validate()
            guard decayMilliseconds >= -1 else {
                throw .invalidConfiguration(
                    setting: "decayMilliseconds", value: "\(decayMilliseconds)",
                    reason: "0 is at once, -1 is never, else milliseconds")
            }
        }
    }
}
