/// What a level of memory pressure takes from the pools.
public struct MemoryPressureResponse: Sendable, Hashable {
    /// The share of idle memory to give back, 0 to 1: free spans and shared blocks first, threads' caches last.
    public var idleShare: Double
    /// Whether pages that the arenas keep of what was freed to them go back too, ahead of their decay.
    public var purgesArenas: Bool

    /// Makes a response; by default one that takes nothing.
    public init(idleShare: Double = 0, purgesArenas: Bool = false) {
        self.idleShare = idleShare
        self.purgesArenas = purgesArenas
    }

    /// Whether it takes anything.
    var isActive: Bool { idleShare > 0 || purgesArenas }

    func validate(_ setting: String) throws(TensorPoolError) {
        guard idleShare >= 0, idleShare <= 1 else {
            throw .invalidConfiguration(
                setting: "\(setting).idleShare", value: "\(idleShare)", reason: "a share is 0 to 1")
        }
        guard idleShare == 0 || purgesArenas else {
            throw .invalidConfiguration(
                setting: "\(setting).purgesArenas", value: "false",
                reason: "idle memory goes back through the arenas: with idleShare above 0 they are purged")
        }
    }
}
