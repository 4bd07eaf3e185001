import TensorPool
import TensorTrace
import Workloads

/// Hot pairs of a pool beside those of something that stands on it, in turn.
enum PairComparisons {
    /// Pairs of a round: they fill half of a recorder's buffer of events.
    private static let pairsPerRound = 8192

    /// Prints what a pair costs with and without a recorder, and what an event adds.
    static func recorder<Pool: TensorAllocator>(isHandle: Bool, rounds: Int, byteCount: Int, pool: Pool, path: String) {
        do {
            let recorded = RecordedPool(recorder: try TraceRecorder(pool, path: path))
            // Flushed after each round, so that nothing is dropped, which would be cheaper.
            if isHandle {
                try compare(
                    HandleBlock<Pool>.self, pool, RecordedHandleBlock<Pool>.self, recorded, "recorded", rounds,
                    byteCount, afterRound: recorded.recorder.flush)
            } else {
                try compare(
                    BufferBlock<Pool>.self, pool, RecordedBufferBlock<Pool>.self, recorded, "recorded", rounds,
                    byteCount, afterRound: recorded.recorder.flush)
            }
            let result = try recorded.recorder.finish()
            print("written \(result.writtenEventCount)\ndropped \(result.droppedEventCount)")
        } catch {
            measurementFailed("\(error)")
        }
    }

    /// Prints what a pair costs in a static plan of one step of so many equal allocations.
    static func plan<Pool: TensorAllocator>(isHandle: Bool, rounds: Int, allocations: Int, byteCount: Int, pool: Pool) {
        do {
            // One after the other at the same place: as pairs of a pool are.
            let layout = try StaticPlanLayout(
                allocations: (0..<max(1, allocations)).map { _ in .init(offset: 0, byteCount: byteCount) },
                byteCount: byteCount)
            let plan = try StaticPlan(layout, upstream: pool)
            if isHandle {
                try compare(
                    HandleBlock<Pool>.self, pool, HandleBlock<StaticPlan<Pool>>.self, plan, "planned", rounds,
                    byteCount)
            } else {
                try compare(
                    BufferBlock<Pool>.self, pool, BufferBlock<StaticPlan<Pool>>.self, plan, "planned", rounds,
                    byteCount)
            }
            print("served \(plan.counts.served)\nfallbacks \(plan.counts.fallbacks)")
        } catch {
            measurementFailed("\(error)")
        }
    }

    private static func compare<Plain: Block & ~Copyable, Other: Block & ~Copyable>(
        _ plain: Plain.Type, _ pool: Plain.Source, _ other: Other.Type, _ source: Other.Source, _ name: String,
        _ rounds: Int, _ byteCount: Int, afterRound: () throws -> Void = {}
    ) throws {
        var plainTimes: [Double] = []
        var otherTimes: [Double] = []
        for _ in 0..<max(1, rounds) {
            let count = pairsPerRound
            plainTimes.append(
                Double(HotPair<Plain>.chunk(of: count, byteCount: byteCount, on: pool)) / Double(count))
            otherTimes.append(
                Double(HotPair<Other>.chunk(of: count, byteCount: byteCount, on: source)) / Double(count))
            try afterRound()
        }
        printMedian("plain", plainTimes)
        printMedian(name, otherTimes)
        printMedian("added_by_half_a_pair", zip(plainTimes, otherTimes).map { ($1 - $0) / 2 })
    }

    /// Prints name, median and quartiles.
    private static func printMedian(_ name: String, _ values: [Double]) {
        let sorted = values.sorted()
        let quarter = sorted.count / 4
        print("\(name) \(sorted[sorted.count / 2]) \(sorted[quarter]) \(sorted[sorted.count - 1 - quarter])")
    }
}
