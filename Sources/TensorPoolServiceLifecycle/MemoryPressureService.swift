public import ServiceLifecycle
public import TensorPool

/// A memory pressure monitor as a service of swift-service-lifecycle: started with the group, stopped at its graceful
/// shutdown or when its task is cancelled.
///
///     let group = ServiceGroup(
///         services: [server, try MemoryPressureService(MemoryPressureMonitor(base))],
///         gracefulShutdownSignals: [.sigterm], logger: logger)
///     try await group.run()
public struct MemoryPressureService: Service, CustomStringConvertible {
    /// The monitor that runs.
    public let monitor: MemoryPressureMonitor

    /// Makes a service of a monitor, which must not be started by other means.
    public init(_ monitor: MemoryPressureMonitor) { self.monitor = monitor }

    /// What logs call the service.
    public var description: String { "MemoryPressureService" }

    /// Runs the monitor on a thread of its own until the group shuts down.
    ///
    /// - Throws: ``TensorPoolError/unsupportedSystem(_:)`` where the system refuses the thread or a file descriptor.
    public func run() async throws {
        try monitor.start()
        defer { monitor.stop() }
        // Cancellation ends the wait with an error; the end is the same.
        try? await gracefulShutdown()
    }
}
