import AllocationTrace

/// The results as text.
struct TerminalReport {
    private let results: Results

    init(_ results: Results) {
        self.results = results
    }

    var text: String {
        var parts = [
            "\(results.machine.line)\n\(results.settings.repetitions) processes for each figure, in turns; medians; processor time where there is one thread; "
                + "\(Int(results.seconds)) s"
        ]
        if let warning = results.warning { parts.append(warning) }
        if !results.missingPeers.isEmpty {
            parts.append("NOT INSTALLED, so not measured: " + results.missingPeers.joined(separator: ", "))
        }
        if !results.traceRuns.isEmpty { parts += [traceTable, coldTable, latencyTable, ratioTable] }
        if !results.pairs.isEmpty { parts.append(pairTable) }
        if !results.threads.isEmpty { parts.append(threadTable) }
        parts.append(targetTable)
        return parts.joined(separator: "\n\n")
    }

    /// Competitors that took part in the traces, in order.
    private var replayed: [Competitor] {
        competitors { name in results.traceRuns.contains { $0.competitor == name } }
    }

    private func competitors(_ tookPart: (String) -> Bool) -> [Competitor] {
        results.competitors.filter { tookPart($0.name) }
    }

    private var traceTable: String {
        var table = TextTable(["untouched ns/event | touched ms | peak/live"] + results.traces.map(\.name))
        for competitor in replayed {
            table.add(
                [competitor.name]
                    + results.traces.map { trace in
                        let none = results.run(trace.name, competitor.name, .none)
                        let page = results.run(trace.name, competitor.name, .page)
                        let event = none?.roundNanoseconds.median.map { $0 / Double(trace.summary.eventCount) }
                        return [
                            Figure.number(event), Figure.number(page?.roundNanoseconds.median.map { $0 / 1e6 }),
                            Figure.number(results.peakRatio(trace, competitor.name)),
                        ].joined(separator: " | ")
                    })
        }
        return "Traces, rounds after the first\n" + table.text
    }

    private var coldTable: String {
        var table = TextTable(["cold ms | faults a round"] + results.traces.map(\.name))
        for competitor in replayed {
            table.add(
                [competitor.name]
                    + results.traces.map { trace in
                        let page = results.run(trace.name, competitor.name, .page)
                        return Figure.number(page?.coldNanoseconds.median.map { $0 / 1e6 }) + " | "
                            + Figure.number(page?.faults.median)
                    })
        }
        return "Traces, touched: construction and first round; page faults in each round after it\n" + table.text
    }

    private var latencyTable: String {
        var table = TextTable(["p50 | p99 | p99.9 | max; p99.9 of medians"] + results.traces.map(\.name))
        for competitor in replayed where competitor.kind != .swift {
            table.add(
                [competitor.name]
                    + results.traces.map { trace in
                        let run = results.run(trace.name, competitor.name, .none)
                        let pair = run?.pairLatency
                        return [pair?.p50, pair?.p99, pair?.p999, pair?.maximum]
                            .map { Figure.number($0?.median) }.joined(separator: " | ")
                            + "; " + Figure.number(run?.pairMedians?.p999.median)
                    })
        }
        return
            "Allocation and release of one block in a trace, untouched, ns; at the end the p99.9 of each pair's median over "
            + "\(results.settings.latencyRounds) rounds\n" + table.text
    }

    private var ratioTable: String {
        var table = TextTable(
            ["untouched | touched | cold, over the best peer"] + results.traces.map(\.name) + ["mean"])
        for pool in results.ownPools {
            let columns = [
                results.ratiosToBestPeer(pool.name, .none, \.roundNanoseconds),
                results.ratiosToBestPeer(pool.name, .page, \.roundNanoseconds),
                results.ratiosToBestPeer(pool.name, .page, \.coldNanoseconds),
            ]
            let cells = results.traces.indices.map { index in
                columns.map { index < $0.count ? Figure.ratio($0[index].ratio) : "-" }.joined(separator: " | ")
            }
            let means = columns.map { Figure.ratio($0.map(\.ratio).geometricMean) }.joined(separator: " | ")
            table.add([pool.name] + cells + [means])
        }
        var rates = TextTable(["thread cache | pool, share of allocations served"] + results.traces.map(\.name))
        for pool in results.ownPools {
            rates.add(
                [pool.name]
                    + results.traces.map { trace in
                        let run = results.run(trace.name, pool.name, .none)
                        return [run?.cacheHitRate, run?.reuseRate].map { Figure.percent($0?.median) }
                            .joined(separator: " | ")
                    })
        }
        return table.text + "\n\n" + rates.text
    }

    private var pairTable: String {
        var table = TextTable(["ns a pair"] + results.settings.pairSizes.map(Figure.size))
        for competitor in competitors({ name in results.pairs.contains { $0.competitor == name } }) {
            for form in [PairRun.Form.aligned, .plain, .buffer, .handle] {
                let cells = results.settings.pairSizes.map {
                    results.pair(competitor.name, form, $0)?.nanoseconds.median
                }
                guard cells.contains(where: { $0 != nil }) else { continue }
                let name = competitor.kind == .swift ? competitor.name : "\(competitor.name), \(form.rawValue)"
                table.add([name] + cells.map(Figure.number))
            }
        }
        return "Hot pair: one thread, one block at a time, untouched, warm\n" + table.text
    }

    private var threadTable: String {
        var tables: [String] = []
        for workload in ThreadSuite.workloads {
            var table = TextTable([workload] + results.settings.threadCounts.map { "\($0) threads" })
            for competitor in competitors({ name in results.threads.contains { $0.competitor == name } }) {
                table.add(
                    [competitor.name]
                        + results.settings.threadCounts.map { threads in
                            let run = results.thread(workload, threads, competitor.name)
                            let pairs = Double(run?.operations ?? 1)
                            return [
                                Figure.number(run?.wallNanoseconds.median.map { $0 / pairs }),
                                Figure.number(run?.processorNanoseconds.median.map { $0 / pairs }),
                                Figure.number(run?.residentGrowth.median.map { $0 / 1_048_576 }),
                            ].joined(separator: " | ")
                        })
            }
            tables.append(table.text)
        }
        return "Threads: wall ns | processor ns a pair of all threads | peak resident growth in MiB\n"
            + tables.joined(separator: "\n\n")
    }

    private var targetTable: String {
        var table = TextTable(["what it must reach", "at most", "", "measured"])
        table.isProse = true
        for target in results.targets {
            let verdict =
                switch target.holds {
                case true?: "holds"
                case false?: "MISSES"
                case nil: "?"
                }
            table.add([target.what, target.atMost, verdict, target.measured])
        }
        return table.text
    }
}
