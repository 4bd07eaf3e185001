extension OptimizedTensorPoolConfig {
    /// For inference: prewarmed, most recently used first, no pressure detection, since memory use is stable.
    public static var inference: OptimizedTensorPoolConfig {
        var configuration = OptimizedTensorPoolConfig()
        configuration.prewarming = Prewarming(
            verySmall: 256 << 10, small: 768 << 10, medium: 7 << 20, large: 24 << 20)
        return configuration
    }

    /// For training: prewarmed, gives memory back under pressure, samples lifetimes.
    public static var training: OptimizedTensorPoolConfig {
        var configuration = OptimizedTensorPoolConfig()
        configuration.prewarming = Prewarming(
            verySmall: 256 << 10, small: 768 << 10, medium: 7 << 20, large: 56 << 20)
        configuration.enableMemoryPressureDetection = true
        configuration.enableStatisticalAnalysis = true
        return configuration
    }

    /// For little memory: nothing prewarmed, no huge pages, gives memory back under pressure and when sizes fall out
    /// of use, keeps little per thread.
    public static var memoryConstrained: OptimizedTensorPoolConfig {
        var configuration = OptimizedTensorPoolConfig()
        configuration.enablePrewarming = false
        configuration.enableMemoryPressureDetection = true
        configuration.enableAdaptiveCleanup = true
        configuration.hugePages = .never
        configuration.threadCacheByteLimit = 128 << 10
        configuration.threadSpanCacheByteLimit = 64 << 10
        return configuration
    }

    /// For small tensors: no prewarming, prefetching or vector zeroing, the guide's way to the least overhead, and a
    /// larger cache of small blocks a thread.
    public static var smallTensors: OptimizedTensorPoolConfig {
        var configuration = OptimizedTensorPoolConfig()
        configuration.enablePrewarming = false
        configuration.enablePrefetching = false
        configuration.enableSIMD = false
        configuration.threadCacheByteLimit = 4 << 20
        return configuration
    }

    /// For large tensors: prewarmed in huge pages, prefetching, vector zeroing, and more spans kept per thread.
    public static var largeTensors: OptimizedTensorPoolConfig {
        var configuration = OptimizedTensorPoolConfig()
        configuration.prewarming = Prewarming(medium: 0, large: 64 << 20)
        configuration.enablePrefetching = true
        configuration.enableSIMD = true
        configuration.threadSpanCacheByteLimit = 64 << 20
        return configuration
    }
}
