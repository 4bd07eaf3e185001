/// The workloads of threads.
struct ThreadSuite {
    static let workloads = ["independent", "server", "producer-consumer", "churn", "cache-scratch"]

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
                            operations: pairs(workload, threads: threads)))
                }
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
                let rest = [workload, "\(threads)", "\(operations(of: workload))"]
                let output =
                    if competitor.kind == .pool {
                        try Worker.run("pool-worker", ["threads", competitor.argument, "buffer"] + rest)
                    } else {
                        try Worker.run("peer-worker", ["threads"] + rest, environment: competitor.processEnvironment)
                    }
                runs[index].add(output)
                if (ContinuousClock.now - start) / .seconds(1) > settings.slowSeconds { slow.insert(index) }
            }
        }
        return runs
    }

    /// What each thread is told.
    private func operations(of workload: String) -> Int {
        switch workload {
        case "cache-scratch": settings.scratchOperations
        // So short a pair that a thread's start would count.
        case "independent": 10 * settings.threadOperations
        default: settings.threadOperations
        }
    }

    /// Pairs of all threads together. Of producer and consumer only one allocates.
    private func pairs(_ workload: String, threads: Int) -> Int {
        let sources = workload == "producer-consumer" ? max(1, threads / 2) : threads
        return operations(of: workload) * sources
    }
}

extension ThreadRun {
    /// Takes in what one process printed.
    mutating func add(_ output: WorkerOutput) {
        wallNanoseconds.add(output.number("wall"))
        processorNanoseconds.add(output.number("processor"))
        if let peak = output.number("resident_peak"), let before = output.number("resident_before") {
            residentGrowth.add(peak - before)
        }
    }
}
