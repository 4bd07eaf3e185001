extension MemoryPressureConfiguration {
    /// Makes a configuration from settings by name, such as those of an environment or a file: the rest stays as by
    /// default.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)`` for an unknown name, with the known
    ///   ones, for a value that is no such value, and for one that cannot be.
    public init(settings: [String: String]) throws(TensorPoolError) {
        self.init()
        let table = Self.settings
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
            guard let setting = table[name] else {
                throw .invalidConfiguration(
                    setting: name, value: value,
                    reason: "there is no such setting; known are \(table.keys.sorted().joined(separator: ", "))")
            }
            guard setting.set(&self, value) else {
                throw .invalidConfiguration(setting: name, value: value, reason: "it is \(setting.form)")
            }
        }
        try validate()
    }

    private struct Setting {
        /// What a value looks like.
        let form: String
        /// Sets a value; false where it is none.
        let set: (inout MemoryPressureConfiguration, String) -> Bool
    }

    private typealias Path<Value> = WritableKeyPath<MemoryPressureConfiguration, Value>

    /// All settings by name.
    private static var settings: [String: Setting] {
        var table = [
            "fallMargin": number(\.fallMargin),
            "fallDelayMilliseconds": milliseconds(\.fallDelay),
            "intervalMilliseconds": milliseconds(\.interval),
            "repeatIntervalMilliseconds": milliseconds(\.repeatInterval),
            "usesStallTrigger": truth(\.usesStallTrigger),
        ]
        let responses: [(String, Path<MemoryPressureResponse>)] = [
            ("low", \.low), ("moderate", \.moderate), ("high", \.high), ("critical", \.critical),
        ]
        for (name, path) in responses {
            table["\(name).idleShare"] = number(path.appending(path: \.idleShare))
            table["\(name).purgesArenas"] = truth(path.appending(path: \.purgesArenas))
        }
        let steps: [(String, Path<MemoryPressureThresholds.Steps>)] = [
            ("someStalled", \.thresholds.someStalled), ("allStalled", \.thresholds.allStalled),
            ("groupUse", \.thresholds.groupUse), ("machineUse", \.thresholds.machineUse),
        ]
        for (name, path) in steps {
            table["\(name).low"] = step(path.appending(path: \.low))
            table["\(name).moderate"] = step(path.appending(path: \.moderate))
            table["\(name).high"] = step(path.appending(path: \.high))
            table["\(name).critical"] = step(path.appending(path: \.critical))
        }
        return table
    }

    private static func number(_ path: Path<Double>) -> Setting {
        Setting(form: "a number") { configuration, text in
            guard let number = Double(text), number.isFinite else { return false }
            configuration[keyPath: path] = number
            return true
        }
    }

    private static func step(_ path: Path<Double?>) -> Setting {
        Setting(form: "a percentage, or never") { configuration, text in
            if text == "never" {
                configuration[keyPath: path] = nil
                return true
            }
            guard let number = Double(text), number.isFinite else { return false }
            configuration[keyPath: path] = number
            return true
        }
    }

    private static func truth(_ path: Path<Bool>) -> Setting {
        Setting(form: "true or false") { configuration, text in
            guard let value = Bool(text) else { return false }
            configuration[keyPath: path] = value
            return true
        }
    }

    private static func milliseconds(_ path: Path<Duration>) -> Setting {
        Setting(form: "a whole number of milliseconds from 0 up") { configuration, text in
            guard let number = Int64(text), number >= 0 else { return false }
            configuration[keyPath: path] = .milliseconds(number)
            return true
        }
    }
}
