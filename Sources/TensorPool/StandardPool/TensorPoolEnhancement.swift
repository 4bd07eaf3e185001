/// What ``TensorPoolEnhancement`` turns on in a live standard pool.
public struct EnhancedTensorPoolConfig: Sendable, Hashable {
    /// Whether tensors above 32 KiB are kept for reuse too, up to ``fastReuseByteLimit`` a thread. Those allocated
    /// before the enhancement go back to the arenas when they are freed, as before.
    public var enableFastReuse: Bool
    /// Bytes of freed tensors above 32 KiB that one thread may keep.
    public var fastReuseByteLimit: Int
    /// Whether threads may keep more of what is up to 32 KiB, most recently freed first.
    public var enableCacheOptimization: Bool
    /// Bytes of freed tensors up to 32 KiB that one thread may keep; the threads together may keep as much again.
    public var cacheByteLimit: Int
    /// Whether blocks up to 32 KiB are made ready, touched, now.
    public var enablePrewarming: Bool
    /// Bytes made ready, shared out among the size classes.
    public var prewarmByteCount: Int

    /// Makes the default configuration: all three, with 16 MiB of fast reuse, 1 MiB of cache, 1 MiB prewarmed.
    public init(
        enableFastReuse: Bool = true, fastReuseByteLimit: Int = 16 << 20, enableCacheOptimization: Bool = true,
        cacheByteLimit: Int = 1 << 20, enablePrewarming: Bool = true, prewarmByteCount: Int = 1 << 20
    ) {
        self.enableFastReuse = enableFastReuse
        self.fastReuseByteLimit = fastReuseByteLimit
        self.enableCacheOptimization = enableCacheOptimization
        self.cacheByteLimit = cacheByteLimit
        self.enablePrewarming = enablePrewarming
        self.prewarmByteCount = prewarmByteCount
    }

    func validate() throws(TensorPoolError) {
        for (setting, value, isUsed) in [
            ("fastReuseByteLimit", fastReuseByteLimit, enableFastReuse),
            ("cacheByteLimit", cacheByteLimit, enableCacheOptimization),
            ("prewarmByteCount", prewarmByteCount, enablePrewarming),
        ] where isUsed && (value <= 0 || value > Engine.maximumByteCount) {
            throw .invalidConfiguration(
                setting: setting, value: "\(value)",
                reason: "what is enabled needs 1 to \(Engine.maximumByteCount) bytes")
        }
    }
}

/// A pool that can be made faster while it is in use.
public protocol TensorPoolEnhancement {
    /// Turns enhancements on. The pool's interface and its outstanding tensors stay as they are.
    func applyPerformanceEnhancements(_ configuration: EnhancedTensorPoolConfig) throws(TensorPoolError)
}

extension TensorMemoryPool: TensorPoolEnhancement {
    /// Turns enhancements on. The pool's interface and its outstanding tensors stay as they are.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)``, and nothing has changed; or
    ///   ``TensorPoolError/limitReached(_:)`` or ``TensorPoolError/outOfMemory(byteCount:)`` where the prewarmed memory does not fit, and the other enhancements are on.
    public func applyPerformanceEnhancements(
        _ configuration: EnhancedTensorPoolConfig = EnhancedTensorPoolConfig()
    ) throws(TensorPoolError) {
        try configuration.validate()
        front.engine.enhance(configuration)
        guard configuration.enablePrewarming else { return }
        try front.engine.prewarmClasses(
            over: 0, upTo: Self.smallCeiling, byteCount: configuration.prewarmByteCount)
    }
}

extension Engine {
    /// Raises what a standard engine may keep.
    func enhance(_ enhancement: EnhancedTensorPoolConfig) {
        withState { state in
            if enhancement.enableFastReuse { state.configuration.spanCacheByteLimit = enhancement.fastReuseByteLimit }
            if enhancement.enableCacheOptimization {
                state.configuration.smallCacheByteLimit = enhancement.cacheByteLimit
                state.configuration.depotByteLimit = enhancement.cacheByteLimit
                state.configuration.shrinksIdleBins = false
            }
            if enhancement.enablePrewarming {
                // What is made ready must be allowed to stay.
                state.configuration.depotByteLimit = max(
                    state.configuration.depotByteLimit, 2 * enhancement.prewarmByteCount)
            }
        }
    }
}
