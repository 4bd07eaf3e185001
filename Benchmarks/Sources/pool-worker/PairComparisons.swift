import TensorPool
import TensorTrace
import Workloads

/// Hot pairs of a pool beside those of something that stands on it, in turn.
enum PairComparisons {
    /// Pairs of a round: they fill half of a thread's buffer of events.
    private static let pairsPerRound = 8192

    /// Prints what a pair costs with and without a recorder, medians of the rounds, and what an event adds.
    static func recorder<Pool: TensorAllocator>(isHandle: Bool, rounds: Int, byteCount: Int, pool: Pool, path: String) {
        do {
            let recorded = RecordedPool(recorder: try TraceRecorder(pool, path: path))
            if isHandle {
                try compare(HandleBlock<Pool>.self, RecordedHandleBlock<Pool>.self, pool, recorded, rounds, byteCount)
            } else {
                try compare(BufferBlock<Pool>.self, RecordedBufferBlock<Pool>.self, pool, recorded, rounds, byteCount)
            }
            let result = try recorded.recorder.finish()
            print("written \(result.writtenEventCount)\ndropped \(result.droppedEventCount)")
        } catch {
            measurementFailed("\(error)")
        }
    }

    private static func compare<Pool, Plain: Block & ~Copyable, Recorded: Block & ~Copyable>(
        _ plain: Plain.Type, _ recorded: Recorded.Type, _ pool: Pool, _ source: RecordedPool<Pool>, _ rounds: Int,
        _ byteCount: Int
    ) throws where Plain.Source == Pool, Recorded.Source == RecordedPool<Pool> {
        var plainTimes: [Double] = []
        var recordedTimes: [Double] = []
        for _ in 0..<max(1, rounds) {
            let count = pairsPerRound
            plainTimes.append(
                Double(HotPair<Plain>.chunk(of: count, byteCount: byteCount, on: pool)) / Double(count))
            recordedTimes.append(
                Double(HotPair<Recorded>.chunk(of: count, byteCount: byteCount, on: source)) / Double(count))
            // Nothing is dropped, which would be cheaper.
            try source.recorder.flush()
        }
        printMedians(("plain", plainTimes), ("recorded", recordedTimes))
        let added = zip(plainTimes, recordedTimes).map { ($1 - $0) / 2 }
        printMedians(("added_an_event", added))
    }

    /// Prints what a pair costs in a static plan of one step of so many equal allocations, medians of the rounds.
    static func plan<Pool: TensorAllocator>(isHandle: Bool, rounds: Int, allocations: Int, byteCount: Int, pool: Pool) {
        do {
            // One after the other at the same place: as pairs of a pool are.
            let layout = try StaticPlanLayout(
                allocations: (0..<max(1, allocations)).map { _ in .init(offset: 0, byteCount: byteCount) },
                byteCount: byteCount)
            let plan = try StaticPlan(layout, upstream: pool)
            if isHandle {
                compare(HandleBlock<Pool>.self, HandleBlock<StaticPlan<Pool>>.self, pool, plan, rounds, byteCount)
            } else {
                compare(BufferBlock<Pool>.self, BufferBlock<StaticPlan<Pool>>.self, pool, plan, rounds, byteCount)
            }
            print("served \(plan.counts.served)\nfallbacks \(plan.counts.fallbacks)")
        } catch {
            measurementFailed("\(error)")
        }
    }

    private static func compare<Pool, Plain: Block & ~Copyable, Planned: Block & ~Copyable>(
        _ plain: Plain.Type, _ planned: Planned.Type, _ pool: Pool, _ plan: StaticPlan<Pool>, _ rounds: Int,
        _ byteCount: Int
    ) where Plain.Source == Pool, Planned.Source == StaticPlan<Pool> {
        var plainTimes: [Double] = []
        var plannedTimes: [Double] = []
        for _ in 0..<max(1, rounds) {
            let count = pairsPerRound
            plainTimes.append(
                Double(HotPair<Plain>.chunk(of: count, byteCount: byteCount, on: pool)) / Double(count))
            plannedTimes.append(
                Double(HotPair<Planned>.chunk(of: count, byteCount: byteCount, on: plan)) / Double(count))
        }
        printMedians(("plain", plainTimes), ("planned", plannedTimes))
    }

    /// Prints name, median and quartiles of each.
    private static func printMedians(_ samples: (name: String, values: [Double])...) {
        for (name, values) in samples {
            let sorted = values.sorted()
            let quarter = sorted.count / 4
            print("\(name) \(sorted[sorted.count / 2]) \(sorted[quarter]) \(sorted[sorted.count - 1 - quarter])")
        }
    }
}
