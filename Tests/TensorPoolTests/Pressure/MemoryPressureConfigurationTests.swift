import Testing

@testable import TensorPool

@Suite struct MemoryPressureConfigurationTests {
    private static func refused(_ change: (inout MemoryPressureConfiguration) -> Void) -> String? {
        var configuration = MemoryPressureConfiguration()
        change(&configuration)
        let error = refusal { () throws(TensorPoolError) in try configuration.validate() }
        guard case .invalidConfiguration(let setting, _, _) = error else { return nil }
        return setting
    }

    @Test func whatCannotBeIsRefusedByName() {
        #expect(Self.refused { _ in } == nil)
        #expect(Self.refused { $0.fallMargin = -0.1 } == "fallMargin")
        #expect(Self.refused { $0.fallMargin = 1 } == "fallMargin")
        #expect(Self.refused { $0.fallMargin = .nan } == "fallMargin")
        #expect(Self.refused { $0.interval = .zero } == "interval")
        #expect(Self.refused { $0.interval = .seconds(100_000) } == "interval")
        #expect(Self.refused { $0.fallDelay = .seconds(-1) } == "fallDelay")
        #expect(Self.refused { $0.repeatInterval = .seconds(-1) } == "repeatInterval")
        #expect(Self.refused { $0.high.idleShare = 1.5 } == "high.idleShare")
        #expect(Self.refused { $0.low.idleShare = .nan } == "low.idleShare")
        #expect(Self.refused { $0.critical.purgesArenas = false } == "critical.purgesArenas")
        #expect(Self.refused { $0.thresholds.groupUse.low = 0 } == "groupUse.low")
        #expect(Self.refused { $0.thresholds.groupUse.high = 99 } == "groupUse.critical", "steps go up")
        #expect(Self.refused { $0.thresholds.machineUse.critical = 101 } == "machineUse.critical")
        #expect(Self.refused { $0.thresholds.someStalled.low = .nan } == "someStalled.low")
        #expect(Self.refused { $0.thresholds.allStalled = .init() } == nil, "a figure may say nothing")
    }

    @Test func settingsByNameDoWhatTheyName() throws {
        let configuration = try MemoryPressureConfiguration(settings: [
            "intervalMilliseconds": "250", "fallDelayMilliseconds": "0", "repeatIntervalMilliseconds": "3000",
            "fallMargin": "0.1", "usesStallTrigger": "false", "low.idleShare": "0.5", "low.purgesArenas": "true",
            "someStalled.critical": "50", "groupUse.low": "never", "machineUse.critical": "99.5",
        ])
        var expected = MemoryPressureConfiguration()
        expected.interval = .milliseconds(250)
        expected.fallDelay = .zero
        expected.repeatInterval = .seconds(3)
        expected.fallMargin = 0.1
        expected.usesStallTrigger = false
        expected.low = MemoryPressureResponse(idleShare: 0.5, purgesArenas: true)
        expected.thresholds.someStalled.critical = 50
        expected.thresholds.groupUse.low = nil
        expected.thresholds.machineUse.critical = 99.5
        #expect(configuration == expected)
        #expect(try MemoryPressureConfiguration(settings: [:]) == MemoryPressureConfiguration())
    }

    @Test(arguments: [
        ("interval", "1"), ("", ""), ("low", "1"), ("high.idleshare", "1"), ("intervalMilliseconds", "-1"),
        ("intervalMilliseconds", "1.5"), ("intervalMilliseconds", "99999999999999999999"), ("fallMargin", "much"),
        ("fallMargin", "inf"), ("usesStallTrigger", "yes"), ("groupUse.low", "nan"), ("groupUse.low", "95"),
    ])
    func unknownAndImpossibleSettingsAreErrors(name: String, value: String) {
        let error = refusal { () throws(TensorPoolError) in
            _ = try MemoryPressureConfiguration(settings: [name: value])
        }
        guard case .invalidConfiguration(_, _, let reason) = error else {
            Issue.record("\(name) = \(value) was taken: \(String(describing: error))")
            return
        }
        let isKnown = ["intervalMilliseconds", "fallMargin", "usesStallTrigger", "groupUse.low"].contains(name)
        #expect(reason.contains("known are") == !isKnown)
    }
}
