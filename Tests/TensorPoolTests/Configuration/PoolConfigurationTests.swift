import Foundation
import TensorPool
import Testing

@Suite struct PoolConfigurationTests {
    static let examples: [PoolConfiguration] = {
        var optimized = OptimizedTensorPoolConfig.training
        optimized.prewarming = .init(verySmall: 1, small: 2, medium: 3, large: 4, veryLarge: 5)
        optimized.prefetchDistance = 7
        optimized.enablePrefetching = true
        optimized.enableSIMD = false
        optimized.enableCacheOptimization = false
        optimized.pressureThreshold = .critical
        optimized.enableAdaptiveCleanup = true
        optimized.enableZeroCopyTransitions = false
        optimized.hugePages = .never
        optimized.slabByteCount = 4 << 20
        optimized.threadCacheByteLimit = 11
        optimized.threadSpanCacheByteLimit = 12
        optimized.byteLimit = 1 << 30
        optimized.idleReleaseAfter = .nanoseconds(1_234_567_891)
        optimized.enablePrewarming = false
        var adaptive = AdaptiveConfiguration.smallTensors
        adaptive.optimized = optimized
        adaptive.byteLimit = 1 << 31
        adaptive.standardCeiling = 16 << 10
        adaptive.optimizedFloor = 512 << 10
        adaptive.temporaryCeiling = 32 << 10
        adaptive.minimumUses = 9
        adaptive.nanosecondsPerIdlePage = 0.5
        return [
            .standard(.init()), .optimized(.init()), .adaptive(.init()), .optimized(optimized), .adaptive(adaptive),
            .standard(
                .init(
                    threadCacheByteLimit: 1, sharedCacheByteLimit: 2, byteLimit: 3, idleReleaseAfter: .milliseconds(4))),
            .adaptive(.inference), .adaptive(.training), .adaptive(.memoryConstrained), .adaptive(.largeTensors),
        ]
    }()

    @Test(arguments: examples) func comesBackAsItWas(configuration: PoolConfiguration) throws {
        let data = try JSONEncoder().encode(configuration)
        #expect(try JSONDecoder().decode(PoolConfiguration.self, from: data) == configuration)
    }

    /// A setting that the reader does not read would come back as the default.
    @Test func everySettingIsWritten() throws {
        let data = try JSONEncoder().encode(OptimizedTensorPoolConfig.training)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        // All properties but the two that are nil by default.
        #expect(object.count == Mirror(reflecting: OptimizedTensorPoolConfig()).children.count - 2)
        let adaptive = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(AdaptiveConfiguration())) as? [String: Any])
        #expect(adaptive.count == Mirror(reflecting: AdaptiveConfiguration()).children.count - 1)
    }

    @Test func whatIsMissingStaysAsByDefault() throws {
        #expect(try decode(#"{"version": 1, "pool": "adaptive"}"#) == .adaptive(AdaptiveConfiguration()))
        var expected = AdaptiveConfiguration()
        expected.optimized.prewarming.large = 5
        expected.standard.sharedCacheByteLimit = 6
        #expect(
            try decode(
                """
                {"version": 1, "pool": "adaptive", "configuration":
                  {"optimized": {"prewarming": {"large": 5}}, "standard": {"sharedCacheByteLimit": 6}}}
                """) == .adaptive(expected))
    }

    @Test(arguments: [
        (#"{"pool": "adaptive"}"#, "version", "this library reads version 1"),
        (#"{"version": 2, "pool": "adaptive"}"#, "version", "this library reads version 1"),
        (#"{"version": 1}"#, "pool", "one of standard, optimized, adaptive"),
        (#"{"version": 1, "pool": "fast"}"#, "pool", "one of standard, optimized, adaptive"),
        (#"{"version": 1, "pool": "adaptive", "extra": 1}"#, "extra", "known are configuration, pool, version"),
        (
            #"{"version": 1, "pool": "adaptive", "configuration": {"ceiling": 1}}"#, "configuration.ceiling",
            "known are byteLimit, debugging, minimumUses, nanosecondsPerIdlePage, optimized"
        ),
        (
            #"{"version": 1, "pool": "optimized", "configuration": {"prewarming": {"huge": 1}}}"#,
            "configuration.prewarming.huge", "known are large, medium, small, veryLarge, verySmall"
        ),
        (
            #"{"version": 1, "pool": "optimized", "configuration": {"prewarming": {"large": "much"}}}"#,
            "configuration.prewarming.large", "a whole number that fits 64 bits"
        ),
        (
            #"{"version": 1, "pool": "optimized", "configuration": {"prewarming": {"large": -1}}}"#,
            "prewarming.large", "bytes are 0 to"
        ),
        (
            #"{"version": 1, "pool": "optimized", "configuration": {"enableSIMD": 1}}"#, "configuration.enableSIMD",
            "true or false"
        ),
        (
            #"{"version": 1, "pool": "optimized", "configuration": {"hugePages": "always"}}"#,
            "configuration.hugePages", "one of automatic, never"
        ),
        (
            #"{"version": 1, "pool": "optimized", "configuration": {"pressureThreshold": 3}}"#,
            "configuration.pressureThreshold", "one of none, low, moderate, high, critical"
        ),
        (
            #"{"version": 1, "pool": "standard", "configuration": {"idleReleaseAfterNanoseconds": 1}}"#,
            "idleReleaseAfter", "a millisecond to a year"
        ),
        (#"{"version": 1, "pool": "standard", "configuration": []}"#, "configuration", "an object of settings"),
        (#"[]"#, "configuration", "an object of settings"),
    ])
    func namesWhatIsWrong(json: String, setting: String, reason: String) throws {
        do {
            let configuration = try decode(json)
            Issue.record("read as \(configuration)")
        } catch TensorPoolError.invalidConfiguration(let found, _, let why) {
            #expect(found == setting)
            #expect(why.contains(reason), "\(why)")
        }
    }

    private func decode(_ json: String) throws -> PoolConfiguration {
        try JSONDecoder().decode(PoolConfiguration.self, from: Data(json.utf8))
    }
}
