/// As settings: the properties by name, both strategies as objects of their own. What is missing stays as by default.
extension AdaptiveConfiguration: Codable {
    private enum Key: String, CodingKey, CaseIterable {
        case standard, optimized, byteLimit, standardCeiling, optimizedFloor, temporaryCeiling, minimumUses
        case nanosecondsPerIdlePage, debugging, scrubOnFree
    }

    /// The standard strategy's settings, whose defaults here are not those of a standard pool alone.
    private struct Standard: Decodable {
        let configuration: TensorMemoryPool.Configuration

        init(from decoder: any Decoder) throws {
            var configuration = AdaptiveConfiguration().standard
            try configuration.update(from: decoder)
            self.configuration = configuration
        }
    }

    /// Reads and checks a configuration.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)`` for an unknown setting, with the known
    ///   ones, and for a value that cannot be.
    public init(from decoder: any Decoder) throws {
        self.init()
        let reader = try SettingsReader<Key>(decoder)
        if let standard = try reader.optional(.standard, Standard.self) { self.standard = standard.configuration }
        try reader.read(.optimized, &optimized)
        byteLimit = try reader.optional(.byteLimit, Int.self)
        try reader.read(.standardCeiling, &standardCeiling)
        try reader.read(.optimizedFloor, &optimizedFloor)
        try reader.read(.temporaryCeiling, &temporaryCeiling)
        try reader.read(.minimumUses, &minimumUses)
        try reader.read(.nanosecondsPerIdlePage, &nanosecondsPerIdlePage)
        try reader.read(.debugging, &debugging)
        try reader.read(.scrubOnFree, &scrubOnFree)
        try validate()
    }

    /// Writes every setting.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(standard, forKey: .standard)
        try container.encode(optimized, forKey: .optimized)
        try container.encodeIfPresent(byteLimit, forKey: .byteLimit)
        try container.encode(standardCeiling, forKey: .standardCeiling)
        try container.encode(optimizedFloor, forKey: .optimizedFloor)
        try container.encode(temporaryCeiling, forKey: .temporaryCeiling)
        try container.encode(minimumUses, forKey: .minimumUses)
        try container.encode(nanosecondsPerIdlePage, forKey: .nanosecondsPerIdlePage)
        try container.encode(debugging, forKey: .debugging)
        try container.encode(scrubOnFree, forKey: .scrubOnFree)
    }
}
