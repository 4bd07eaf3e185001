import AllocationTrace

extension CompareOutput {
    /// For people: the patterns, what each pool made of them, and the verdict.
    var text: String {
        (["Machine  \(machine.line)"] + patterns.map(patternLine) + [
            "Method   \(rounds) rounds of \(stepsPerRound) steps of each pattern on one thread, the pools taking turns; memory untouched.",
            "         Reuse and cache count every round, the cold first one included; the clock's figures are medians.",
            "",
            resultTable,
            "",
            "reuse    allocations served without new memory      cache     allocations served by the thread's own cache",
            "own ns   the pool's sampled average, no release      ns/pair   allocation and release by the clock",
            "",
            "The guide's targets",
            verdictTable,
        ] + verdicts.map(sentence)).joined(separator: "\n")
    }

    private func patternLine(_ pattern: Pattern) -> String {
        "Pattern  \(pattern.name): \(pattern.explanation);\n"
            + "         \(Figures.count(pattern.allocationsPerStep)) allocations a step of "
            + "\(pattern.sizes.count) sizes from \(Figures.size(pattern.sizes.first ?? 0)) to "
            + "\(Figures.size(pattern.sizes.last ?? 0)), peak live \(Figures.mebibytes(pattern.peakLiveBytes)) MiB"
    }

    private var resultTable: String {
        var table = FigureTable([
            .text("pattern"), .text("pool"), .number("reuse"), .number("cache"), .number("own ns"),
            .number("ns/pair"), .number("spread"), .number("small ns/pair"), .number("holds MiB"),
            .number("standard"), .number("optimized"),
        ])
        for result in results {
            table.append([
                result.pattern, result.pool.rawValue, Figures.percent(result.reuseRate),
                Figures.percent(result.cacheEfficiency),
                result.averageAllocationNanoseconds.map(Figures.decimal) ?? "none",
                Figures.decimal(result.pairNanoseconds.median),
                Figures.percent(result.pairNanoseconds.relativeSpread),
                Figures.decimal(result.smallPairNanoseconds.median), Figures.mebibytes(result.reservedBytes),
                Figures.count(result.standardAllocations), Figures.count(result.optimizedAllocations),
            ])
        }
        return table.text
    }

    private var verdictTable: String {
        var table = FigureTable([
            .text("pool"), .text("target"), .number("found"), .number("wanted"), .text("pattern"), .text("met"),
        ])
        for verdict in verdicts {
            for check in verdict.targets {
                table.append([
                    verdict.pool.rawValue, check.promise, check.foundText, check.wantedText, check.at,
                    check.holds ? "yes" : "NO",
                ])
            }
        }
        return table.text
    }

    private func sentence(_ verdict: Verdict) -> String {
        let missed = verdict.targets.filter { !$0.holds }.map { "\($0.promise) (\($0.at))" }
        return verdict.meetsAll
            ? "The \(verdict.pool.rawValue) pool meets all targets."
            : "The \(verdict.pool.rawValue) pool misses: \(missed.joined(separator: "; "))."
    }
}
