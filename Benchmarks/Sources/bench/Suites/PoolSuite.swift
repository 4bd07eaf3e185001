/// What only pools are asked: prewarming, and their own bookkeeping.
struct PoolSuite {
    let settings: Settings

    func run(_ progress: Progress) throws -> PoolRun {
        let byteCount = 512 << 20
        var run = PoolRun(prewarmBytes: byteCount)
        for repetition in 0..<settings.repetitions {
            progress.show("prewarming \(repetition + 1)/\(settings.repetitions)")
            run.populateNanoseconds.add(try Worker.run("peer-worker", ["populate", "\(byteCount)"]).number("populate"))
            run.prewarmNanoseconds.add(
                try Worker.run("pool-worker", ["prewarm", "optimized", "buffer", "\(byteCount)"]).number("prewarm"))
        }
        for form in [PairRun.Form.buffer, .handle] {
            for (byteCount, count) in [(1 << 10, 100_000), (1 << 20, 1_000)] {
                progress.show("metadata: \(form.rawValue)s of \(byteCount) bytes")
                let output = try Worker.run(
                    "pool-worker", ["metadata", "optimized", form.rawValue, "\(count)", "\(byteCount)"])
                guard let metadata = output.number("metadata"), let live = output.number("live") else { continue }
                run.metadata.append(
                    PoolRun.Metadata(
                        form: form, byteCount: byteCount, count: count, metadataBytes: metadata, liveBytes: live))
            }
        }
        for pool in Competitor.pools {
            for form in [PairRun.Form.buffer, .handle] {
                progress.show("heap: \(pool.name), \(form.rawValue)")
                // What standard does not cache goes to jemalloc, which counts it as allocated by the thread.
                let sizes = pool.name == "optimized" ? [1 << 10, 64 << 10, 1 << 20, 64 << 20] : [1 << 10]
                let output = try Worker.run(
                    "pool-worker", ["heap", pool.argument, form.rawValue] + sizes.map { "\($0)" })
                run.heap += output.numbers("heap").filter { $0.count == 2 }.map {
                    PoolRun.HeapUse(pool: pool.name, form: form, byteCount: Int($0[0]), heapBytes: $0[1])
                }
            }
        }
        return run
    }
}
