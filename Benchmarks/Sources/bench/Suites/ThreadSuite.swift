import CMeasurement

/// The workloads of threads.
struct ThreadSuite {
    static let workloads = ["independent", "server", "producer-consumer", "churn", "cache-scratch"]
    /// One thread of the first in each of two processes that run at once, and share nothing by their nature: what these cost
    /// each other is the machine's doing. Of the pools that are judged.
    static let processes = "independent, two processes"

    let settings: Settings
    let competitors: [Competitor]

    func run(_ progress: Progress) throws -> [ThreadRun] {
        var runs: [ThreadRun] = []
        for workload in Self.workloads {
            for threads in settings.threadCounts {
                for competitor in competitors {
                    runs.append(
                        ThreadRun(
                            workload: workload, threads: threads, competitor: competitor.name,
                            operations: pairs(workload, threads: threads, competitor)))
                }
            }
        }
        if settings.threadCounts.contains(2) {
            runs += competitors.filter { Competitor.judged.contains($0.name) }.map { pool in
                ThreadRun(
                    workload: Self.processes, threads: 2, competitor: pool.name,
                    operations: pairs(Self.processes, threads: 2, pool))
            }
        }
        var slow: Set<Int> = []
        for repetition in 0..<settings.repetitions {
            for index in runs.indices where repetition < settings.slowRepetitions || !slow.contains(index) {
                guard let competitor = competitors.first(where: { $0.name == runs[index].competitor }) else { continue }
                let (workload, threads) = (runs[index].workload, runs[index].threads)
                progress.show(
                    "threads \(repetition + 1)/\(settings.repetitions): \(workload) on \(threads), \(competitor.name)")
                let start = ContinuousClock.now
                let rest = [workload, "\(threads)", "\(operations(of: workload, competitor))"]
                if workload == Self.processes {
                    runs[index].add(try runTwoProcesses(competitor))
                } else if competitor.kind == .pool {
                    runs[index].add(
                        [try Worker.run("pool-worker", ["threads", competitor.argument, "buffer"] + rest)])
                } else {
                    runs[index].add(
                        [try Worker.run("peer-worker", ["threads"] + rest, environment: competitor.processEnvironment)])
                }
                if (ContinuousClock.now - start) / .seconds(1) > settings.slowSeconds { slow.insert(index) }
            }
        }
        return runs
    }

    private func runTwoProcesses(_ pool: Competitor) throws -> [WorkerOutput] {
        let operations = operations(of: Self.processes, pool)
        // Both begin when they are surely there, as threads do that wait for each other.
        let start = tpb_nanoseconds() + 100_000_000
        let workers = try (0..<2).map { processor in
            try Worker(
                "pool-worker", ["threads", pool.argument, "buffer", "independent", "1", "\(operations)"],
                environment: [
                    "TENSOR_POOL_BENCH_FIRST_PROCESSOR": "\(processor)", "TENSOR_POOL_BENCH_START": "\(start)",
                ])
        }
        return try workers.map { try $0.finish() }
    }

    /// What each thread is told.
    private func operations(of workload: String, _ competitor: Competitor) -> Int {
        switch workload {
        case "cache-scratch": settings.scratchOperations
        // So short a pair that a thread's start would count.
        case "independent", Self.processes:
            (Competitor.judged.contains(competitor.name) ? 100 : 10) * settings.threadOperations
        default: settings.threadOperations
        }
    }

    /// Pairs of all threads together. Of producer and consumer only one allocates.
    private func pairs(_ workload: String, threads: Int, _ competitor: Competitor) -> Int {
        let sources = workload == "producer-consumer" ? max(1, threads / 2) : threads
        return operations(of: workload, competitor) * sources
    }
}

extension ThreadRun {
    /// Takes in what processes printed that began at once: the time until the last one's end.
    mutating func add(_ outputs: [WorkerOutput]) {
        func sum(_ name: String) -> Double? {
            let numbers = outputs.compactMap { $0.number(name) }
            return numbers.count == outputs.count ? numbers.reduce(0, +) : nil
        }
        wallNanoseconds.add(sum("wall").flatMap { _ in outputs.compactMap { $0.number("wall") }.max() })
        processorNanoseconds.add(sum("processor"))
        if let peak = sum("resident_peak"), let before = sum("resident_before") { residentGrowth.add(peak - before) }
    }
}
