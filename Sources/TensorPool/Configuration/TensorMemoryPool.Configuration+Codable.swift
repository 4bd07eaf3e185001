/// As settings: the properties by name, `idleReleaseAfter` as `idleReleaseAfterNanoseconds`. What is missing stays as by
/// default.
extension TensorMemoryPool.Configuration: Codable {
    enum Key: String, CodingKey, CaseIterable {
        case threadCacheByteLimit, sharedCacheByteLimit, byteLimit, idleReleaseAfterNanoseconds, debugging, scrubOnFree
    }

    /// Reads and checks a configuration.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)`` for an unknown setting, with the known
    ///   ones, and for a value that cannot be.
    public init(from decoder: any Decoder) throws {
        self.init()
        try update(from: decoder)
    }

    /// Takes over what is there, and leaves the rest.
    mutating func update(from decoder: any Decoder) throws {
        let reader = try SettingsReader<Key>(decoder)
        try reader.read(.threadCacheByteLimit, &threadCacheByteLimit)
        try reader.read(.sharedCacheByteLimit, &sharedCacheByteLimit)
        byteLimit = try reader.optional(.byteLimit, Int.self)
        try reader.readNanoseconds(.idleReleaseAfterNanoseconds, &idleReleaseAfter)
        try reader.read(.debugging, &debugging)
        try reader.read(.scrubOnFree, &scrubOnFree)
        try validate()
    }

    /// Writes every setting.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(threadCacheByteLimit, forKey: .threadCacheByteLimit)
        try container.encode(sharedCacheByteLimit, forKey: .sharedCacheByteLimit)
        try container.encodeIfPresent(byteLimit, forKey: .byteLimit)
        try container.encodeIfPresent(
            idleReleaseAfter?.nanosecondsForSettings, forKey: .idleReleaseAfterNanoseconds)
        try container.encode(debugging, forKey: .debugging)
        try container.encode(scrubOnFree, forKey: .scrubOnFree)
    }
}
