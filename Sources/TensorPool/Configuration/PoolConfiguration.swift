/// A configuration file: which pool, and its settings. `tensor-pool analyze` writes one.
///
/// In JSON `{"version": 1, "pool": "adaptive", "configuration": {"optimized": {"prewarming": {"large": 67108864}}}}`.
/// Read it with any decoder, such as `JSONDecoder().decode(PoolConfiguration.self, from: data)`: this library needs no
/// Foundation for it. What is missing stays as by default.
public enum PoolConfiguration: Sendable, Hashable {
    /// Of a ``TensorMemoryPool``.
    case standard(TensorMemoryPool.Configuration)
    /// Of an ``OptimizedTensorMemoryPool``.
    case optimized(OptimizedTensorPoolConfig)
    /// Of an ``AdaptiveTensorMemoryPool``.
    case adaptive(AdaptiveConfiguration)

    /// The version of the form that this library reads and writes.
    public static let version = 1
}

extension PoolConfiguration: Codable {
    private enum Key: String, CodingKey, CaseIterable {
        case version, pool, configuration
    }

    private enum Pool: String, Codable, CaseIterable {
        case standard, optimized, adaptive
    }

    /// Reads and checks a file.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)`` for another version, an unknown setting,
    ///   with the known ones, and a value that cannot be.
    public init(from decoder: any Decoder) throws {
        let reader = try SettingsReader<Key>(decoder)
        guard let version = try reader.optional(.version, Int.self), version == Self.version else {
            let found = try reader.optional(.version, Int.self).map { "\($0)" } ?? "missing"
            throw TensorPoolError.invalidConfiguration(
                setting: "version", value: found, reason: "this library reads version \(Self.version)")
        }
        guard let pool = try reader.optional(.pool, Pool.self) else {
            throw TensorPoolError.invalidConfiguration(
                setting: "pool", value: "missing", reason: "it is one of standard, optimized, adaptive")
        }
        switch pool {
        case .standard:
            self = .standard(try reader.optional(.configuration, TensorMemoryPool.Configuration.self) ?? .init())
        case .optimized:
            self = .optimized(try reader.optional(.configuration, OptimizedTensorPoolConfig.self) ?? .init())
        case .adaptive: self = .adaptive(try reader.optional(.configuration, AdaptiveConfiguration.self) ?? .init())
        }
    }

    /// Writes every setting.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(Self.version, forKey: .version)
        switch self {
        case .standard(let configuration):
            try container.encode(Pool.standard, forKey: .pool)
            try container.encode(configuration, forKey: .configuration)
        case .optimized(let configuration):
            try container.encode(Pool.optimized, forKey: .pool)
            try container.encode(configuration, forKey: .configuration)
        case .adaptive(let configuration):
            try container.encode(Pool.adaptive, forKey: .pool)
            try container.encode(configuration, forKey: .configuration)
        }
    }
}
