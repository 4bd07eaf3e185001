import AllocationTrace

extension GapOutput {
    /// For people: construction, pairs, which strategy wins, what adaptive chooses, and whether the promises hold.
    var text: String {
        ([
            "Machine  \(machine.line)",
            "Method   \(rounds) rounds, every size and allocator in each, another one first each time; medians and spread",
            "         (the distance between the quartiles in percent). A pair is one allocation and its release. All",
            "         blocks are 64-byte aligned; the pools hand out TensorBuffers unless a column says handle.",
            "         The adaptive pool has served \(GapMeasurement.warmUpPairs) pairs of each size before, to learn.",
            "System   \(systemMalloc). It is measured in a helper process, because",
            "         this one links jemalloc, which on Linux replaces malloc. jemalloc itself: \(jemalloc), as it comes.",
            "",
            "Making a base and a pool",
            constructionTable,
        ] + GapMeasurement.touches.flatMap { ["", pairHeading($0), pairTable($0)] } + [
            "",
            "What the adaptive pool chooses, and its regret: how much longer a pair takes than in the better strategy",
            choiceTable,
        ] + crossovers.map(sentence) + [
            "",
            "Promises",
            TargetCheck.table(targets),
        ]).joined(separator: "\n")
    }

    private var constructionTable: String {
        var table = FigureTable([
            .text("pool"), .number("time"), .number("spread"), .number("resident MiB"), .number("prewarm time"),
            .number("spread"), .number("prewarm MiB"),
        ])
        for cost in constructions {
            let isPrewarmed = cost.prewarmResidentBytes.median > 0
            table.append([
                cost.pool.rawValue, Figures.duration(nanoseconds: cost.nanoseconds.median),
                Figures.percent(cost.nanoseconds.relativeSpread),
                Figures.mebibytes(Int(cost.residentBytes.median)),
                isPrewarmed ? Figures.duration(nanoseconds: cost.prewarmNanoseconds.median) : "none",
                isPrewarmed ? Figures.percent(cost.prewarmNanoseconds.relativeSpread) : "",
                isPrewarmed ? Figures.mebibytes(Int(cost.prewarmResidentBytes.median)) : "",
            ])
        }
        return table.text
    }

    private func pairHeading(_ touch: Touch) -> String {
        switch touch {
        case .none: "Nanoseconds a pair, memory untouched (in brackets the spread in %)"
        case .page: "Nanoseconds a pair, one byte written in every 4 KiB page (in brackets the spread in %)"
        case .full: "Nanoseconds a pair, every byte written (in brackets the spread in %)"
        }
    }

    private func pairTable(_ touch: Touch) -> String {
        var table = FigureTable(
            [.number("size")] + GapSubject.allCases.map { .number($0.heading) } + [.number("gap"), .text("winner")])
        for verdict in verdicts where verdict.touch == touch {
            let figures = GapSubject.allCases.map { subject in
                pairs.first { $0.subject == subject && $0.byteCount == verdict.byteCount && $0.touch == touch }.map {
                    let spread = Figures.count(Int((100 * $0.nanosecondsPerPair.relativeSpread).rounded()))
                    return "\(Figures.decimal($0.nanosecondsPerPair.median)) (\(spread))"
                } ?? ""
            }
            table.append(
                [Figures.size(verdict.byteCount)] + figures + [
                    Figures.percent(verdict.gapPercent / 100), verdict.winner.rawValue,
                ])
        }
        return table.text
    }

    private var choiceTable: String {
        var table = FigureTable([
            .number("size"), .text("choice"), .number("regret ns"), .number("%"), .number("touched ns"), .number("%"),
            .text("because"),
        ])
        for choice in choices {
            let regrets = GapMeasurement.touches.flatMap { touch in
                verdicts.first { $0.byteCount == choice.byteCount && $0.touch == touch }.map {
                    [Figures.decimal($0.regretNanoseconds), Figures.decimal($0.regretPercent)]
                } ?? ["", ""]
            }
            table.append([Figures.size(choice.byteCount), choice.strategy] + regrets + [choice.reason])
        }
        return table.text
    }

    /// The crossover in words.
    func sentence(_ crossover: GapCrossover) -> String {
        let which = crossover.touch == .none ? "With untouched memory" : "With touched memory"
        guard let size = crossover.optimizedFromBytes else {
            return "\(which), there is no size from which on optimized wins: there is no crossover."
        }
        guard let below = crossover.notAtBytes else { return "\(which), optimized wins at every size." }
        return "\(which), the crossover lies between \(Figures.size(below)) and \(Figures.size(size)): from there on "
            + "optimized wins."
    }
}

extension GapSubject {
    var heading: String { self == .adaptiveHandle ? "adaptive handle" : rawValue }
}
