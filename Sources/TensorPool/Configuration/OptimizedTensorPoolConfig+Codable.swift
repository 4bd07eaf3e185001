/// As settings: the properties by name, `idleReleaseAfter` as `idleReleaseAfterNanoseconds`, levels by name. What is
/// missing stays as by default.
extension OptimizedTensorPoolConfig: Codable {
    private enum Key: String, CodingKey, CaseIterable {
        case enablePrewarming, prewarming, enablePrefetching, prefetchDistance, enableSIMD, enableCacheOptimization
        case enableMemoryPressureDetection, pressureThreshold, enableStatisticalAnalysis, enableAdaptiveCleanup
        case enableZeroCopyTransitions, hugePages, slabByteCount, threadCacheByteLimit, threadSpanCacheByteLimit
        case byteLimit, idleReleaseAfterNanoseconds, debugging, scrubOnFree
    }

    /// Reads and checks a configuration.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)`` for an unknown setting, with the known
    ///   ones, and for a value that cannot be.
    public init(from decoder: any Decoder) throws {
        self.init()
        let reader = try SettingsReader<Key>(decoder)
        try reader.read(.enablePrewarming, &enablePrewarming)
        try reader.read(.prewarming, &prewarming)
        try reader.read(.enablePrefetching, &enablePrefetching)
        try reader.read(.prefetchDistance, &prefetchDistance)
        try reader.read(.enableSIMD, &enableSIMD)
        try reader.read(.enableCacheOptimization, &enableCacheOptimization)
        try reader.read(.enableMemoryPressureDetection, &enableMemoryPressureDetection)
        if let name = try reader.optional(.pressureThreshold, MemoryPressureLevelName.self) {
            pressureThreshold = name.level
        }
        try reader.read(.enableStatisticalAnalysis, &enableStatisticalAnalysis)
        try reader.read(.enableAdaptiveCleanup, &enableAdaptiveCleanup)
        try reader.read(.enableZeroCopyTransitions, &enableZeroCopyTransitions)
        try reader.read(.hugePages, &hugePages)
        try reader.read(.slabByteCount, &slabByteCount)
        try reader.read(.threadCacheByteLimit, &threadCacheByteLimit)
        try reader.read(.threadSpanCacheByteLimit, &threadSpanCacheByteLimit)
        byteLimit = try reader.optional(.byteLimit, Int.self)
        try reader.readNanoseconds(.idleReleaseAfterNanoseconds, &idleReleaseAfter)
        try reader.read(.debugging, &debugging)
        try reader.read(.scrubOnFree, &scrubOnFree)
        try validate()
    }

    /// Writes every setting.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(enablePrewarming, forKey: .enablePrewarming)
        try container.encode(prewarming, forKey: .prewarming)
        try container.encode(enablePrefetching, forKey: .enablePrefetching)
        try container.encode(prefetchDistance, forKey: .prefetchDistance)
        try container.encode(enableSIMD, forKey: .enableSIMD)
        try container.encode(enableCacheOptimization, forKey: .enableCacheOptimization)
        try container.encode(enableMemoryPressureDetection, forKey: .enableMemoryPressureDetection)
        try container.encode(MemoryPressureLevelName(pressureThreshold), forKey: .pressureThreshold)
        try container.encode(enableStatisticalAnalysis, forKey: .enableStatisticalAnalysis)
        try container.encode(enableAdaptiveCleanup, forKey: .enableAdaptiveCleanup)
        try container.encode(enableZeroCopyTransitions, forKey: .enableZeroCopyTransitions)
        try container.encode(hugePages, forKey: .hugePages)
        try container.encode(slabByteCount, forKey: .slabByteCount)
        try container.encode(threadCacheByteLimit, forKey: .threadCacheByteLimit)
        try container.encode(threadSpanCacheByteLimit, forKey: .threadSpanCacheByteLimit)
        try container.encodeIfPresent(byteLimit, forKey: .byteLimit)
        try container.encodeIfPresent(
            idleReleaseAfter?.nanosecondsForSettings, forKey: .idleReleaseAfterNanoseconds)
        try container.encode(debugging, forKey: .debugging)
        try container.encode(scrubOnFree, forKey: .scrubOnFree)
    }
}

/// As settings: bytes by category.
extension OptimizedTensorPoolConfig.Prewarming: Codable {
    private enum Key: String, CodingKey, CaseIterable {
        case verySmall, small, medium, large, veryLarge
    }

    /// Reads amounts; what is missing stays as by default.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)``.
    public init(from decoder: any Decoder) throws {
        self.init()
        let reader = try SettingsReader<Key>(decoder)
        try reader.read(.verySmall, &verySmall)
        try reader.read(.small, &small)
        try reader.read(.medium, &medium)
        try reader.read(.large, &large)
        try reader.read(.veryLarge, &veryLarge)
    }

    /// Writes every amount.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(verySmall, forKey: .verySmall)
        try container.encode(small, forKey: .small)
        try container.encode(medium, forKey: .medium)
        try container.encode(large, forKey: .large)
        try container.encode(veryLarge, forKey: .veryLarge)
    }
}

/// A level by its name: numbers would tie files to the order of the cases.
private enum MemoryPressureLevelName: String, Codable, CaseIterable {
    case none, low, moderate, high, critical

    init(_ level: MemoryPressureLevel) {
        switch level {
        case .none: self = .none
        case .low: self = .low
        case .moderate: self = .moderate
        case .high: self = .high
        case .critical: self = .critical
        }
    }

    var level: MemoryPressureLevel {
        switch self {
        case .none: .none
        case .low: .low
        case .moderate: .moderate
        case .high: .high
        case .critical: .critical
        }
    }
}
