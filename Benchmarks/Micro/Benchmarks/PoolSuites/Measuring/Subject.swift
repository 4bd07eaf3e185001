import TensorPool

/// A pool to be measured: its name in the tables, and how to make it.
struct Subject<Pool: TensorAllocator> {
    let name: String
    let make: () throws -> Pool
}

extension Subject where Pool == TensorMemoryPool {
    /// The standard pool as it comes.
    static var standard: Subject { Subject(name: "standard") { try TensorMemoryPool(HybridMemoryPool()) } }
}

extension Subject where Pool == AdaptiveTensorMemoryPool {
    /// The adaptive pool as it comes.
    static var adaptive: Subject { Subject(name: "adaptive") { try AdaptiveTensorMemoryPool(HybridMemoryPool()) } }
}

extension Subject where Pool == OptimizedTensorMemoryPool {
    /// The optimized pool as it comes.
    static var optimized: Subject { Subject("optimized", OptimizedTensorPoolConfig()) }

    /// The optimized pool without prewarming.
    static var bare: Subject {
        var configuration = OptimizedTensorPoolConfig()
        configuration.enablePrewarming = false
        return Subject("optimized", configuration)
    }

    /// The optimized pool with each profile.
    ///
    /// - Parameter looksAtPressure: Whether the pools may look at the system's memory pressure, where the profile says so.
    static func profiles(looksAtPressure: Bool = true) -> [Subject] {
        let profiles: [(String, OptimizedTensorPoolConfig)] = [
            ("inference", .inference), ("training", .training), ("memoryConstrained", .memoryConstrained),
            ("smallTensors", .smallTensors), ("largeTensors", .largeTensors),
        ]
        return profiles.map { name, profile in
            var configuration = profile
            if !looksAtPressure { configuration.enableMemoryPressureDetection = false }
            return Subject(name, configuration)
        }
    }

    private init(_ name: String, _ configuration: OptimizedTensorPoolConfig) {
        self.init(name: name) { try OptimizedTensorMemoryPool(HybridMemoryPool(), configuration: configuration) }
    }
}
