internal import PoolModel

extension FuzzTarget {
    /// The bytes choose the pools, then one operation after the other.
    static func operate(_ bytes: [UInt8]) throws(ModelFailure) {
        var choices = Choices(bytes: bytes)
        let world: PoolWorld
        do { world = try PoolWorld(&choices) } catch { throw ModelFailure("no pools: \(error)") }
        var worker = PoolWorker(world, choices: choices, isAlone: true)
        // Each step uses up a byte at least.
        while !worker.isExhausted { try worker.step() }
        try worker.finish()
        try world.close()
    }
}
