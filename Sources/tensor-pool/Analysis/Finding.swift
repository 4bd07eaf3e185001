import AllocationTrace
import TensorPool

/// One thing that an analysis found, in plain words.
struct Finding: Codable, Equatable {
    /// What it is about.
    enum Kind: String, Codable, CaseIterable {
        case pool, gain, prewarming, sizes, step, lifetimes, growth, threads, leak, recording, replay
    }

    let kind: Kind
    let text: String
}

/// Puts figures into words, what to do first.
struct FindingList {
    let analysis: TraceAnalysis
    let estimate: ReplayEstimate
    let suggestion: PoolSuggestion

    var findings: [Finding] {
        [pool] + gain + [prewarming] + sizes + [step] + lifetimes + growth + threads + leaks + recording + replay
    }

    private var pool: Finding {
        let profile =
            suggestion.profile == .standard ? "its default settings" : "the \(suggestion.profile.rawValue) profile"
        let settings = suggestion.pool == .standard ? "" : " with \(profile): \(suggestion.whyProfile)"
        return Finding(
            kind: .pool,
            text: "Use the \(suggestion.pool.rawValue) pool\(settings). (\(suggestion.whyPool.capitalizedFirst).)")
    }

    private var gain: [Finding] {
        guard let own = estimate.subject(ReplayEstimate.suggested) ?? estimate.subject(suggestion.pool.rawValue) else {
            return []
        }
        return [PoolChoice.system, .jemalloc, .tcmalloc, .mimalloc].compactMap { peer in
            guard let other = estimate.subject(peer.rawValue),
                let gain = estimate.gain(of: own.name, over: peer.rawValue)
            else { return nil }
            let verdict =
                gain.ratio >= 1
                ? "\(Figures.decimal(gain.ratio)) times as fast as"
                : "\(Figures.decimal(1 / max(gain.ratio, 1e-9))) times as slow as"
            let range =
                gain.processes < 2
                ? " That is from one process of each: --seconds gives time for more, which tell how much it varies."
                : gain.isStable
                    ? ""
                    : " From process to process that ratio varies, \(Figures.decimal(gain.lowest)) to "
                        + "\(Figures.decimal(gain.highest)): take it for an order of magnitude."
            let name = peer == .system ? "the system's malloc" : "\(peer.rawValue) as it comes"
            return Finding(
                kind: .gain,
                text: "So set up it is \(verdict) \(name): \(figure(own.processorNanosecondsPerEvent)) against "
                    + "\(figure(other.processorNanosecondsPerEvent)) of processor time an event\(touched).\(range)"
            )
        }
    }

    private var touched: String {
        estimate.touch == .none
            ? ", the memory left untouched: its first touch costs most" : ", first touch of the memory included"
    }

    private func figure(_ statistics: RoundStatistics) -> String {
        "\(Figures.decimal(statistics.median)) ns (\(Figures.count(statistics.rounds, "round")), spread "
            + "\(Figures.percent(statistics.relativeSpread)))"
    }

    private static func amount(_ bytes: Int) -> String {
        bytes < 1 << 20 ? "\((bytes + 1023) >> 10) KiB" : "\(Figures.mebibytes(bytes)) MiB"
    }

    private var prewarming: Finding {
        guard let amounts = suggestion.prewarming, amounts.byteCount > 0 else {
            return Finding(kind: .prewarming, text: "Nothing is worth making ready ahead of time.")
        }
        let parts = [
            ("VerySmall", amounts.verySmall), ("Small", amounts.small), ("Medium", amounts.medium),
            ("Large", amounts.large), ("VeryLarge", amounts.veryLarge),
        ].filter { $0.1 > 0 }.map { "\($0.0) \(Self.amount($0.1))" }
        var text =
            "Make ready \(Figures.mebibytes(amounts.byteCount)) MiB ahead of time: \(parts.joined(separator: ", "))."
        if let plain = estimate.subject(suggestion.pool.rawValue), let own = estimate.subject(ReplayEstimate.suggested)
        {
            text +=
                " The first pass then takes \(Figures.decimal(own.firstRound.median)) ns an event, and "
                + "\(Figures.decimal(plain.firstRound.median)) ns in the default configuration"
            if let milliseconds = own.constructionMilliseconds {
                text += "; making the pool takes \(Figures.decimal(milliseconds)) ms"
            }
            text += "."
        }
        return Finding(kind: .prewarming, text: text)
    }

    private var sizes: [Finding] {
        let all = Double(max(1, analysis.summary.allocationCount))
        let bytes = analysis.sizes.categories.reduce(0) { $0 + Double($1.allocatedBytes) }
        guard let most = analysis.sizes.categories.max(by: { $0.allocations < $1.allocations }), most.allocations > 0,
            let heaviest = analysis.sizes.categories.max(by: { $0.allocatedBytes < $1.allocatedBytes })
        else { return [Finding(kind: .sizes, text: "The trace allocates nothing.")] }
        var text =
            "\(most.category.rawValue) tensors come most often (\(Figures.percent(Double(most.allocations) / all)) of "
            + "the allocations), \(heaviest.category.rawValue) ones take most of the bytes "
            + "(\(Figures.percent(Double(heaviest.allocatedBytes) / max(1, bytes))))."
        if let size = analysis.sizes.mostBytes.first {
            let share = Double(size.byteCount) * Double(size.allocations) / max(1, bytes)
            text += " \(Figures.size(size.byteCount)) alone take \(Figures.percent(share)) of them."
        }
        return [Finding(kind: .sizes, text: text)]
    }

    private var step: Finding {
        guard let steps = analysis.steps else {
            return Finding(kind: .step, text: "No step was found: the sequence of sizes does not repeat.")
        }
        let time = steps.nanosecondsPerStep.map { ", \(Figures.duration(nanoseconds: Double($0)))" } ?? ""
        let basis = steps.basis == .sizes ? "the sizes" : "the order of allocations and frees, though not the sizes,"
        var text =
            "A step of \(Figures.count(steps.allocationsPerStep, "allocation")) (\(Figures.count(steps.eventsPerStep, "event"))\(time)) "
            + "repeats \(Figures.count(steps.steps, "time")) on thread \(steps.thread): \(basis) match by \(Figures.percent(steps.matchShare))."
        if let group = steps.groups.first, group.sizeCount > 1 {
            text +=
                " \(group.sizeCount) sizes come in lock-step, "
                + (group.timesPerStep == 1 ? "once" : "\(group.timesPerStep) times") + " a step each."
        }
        return Finding(kind: .step, text: text)
    }

    private var lifetimes: [Finding] {
        guard let lifetimes = analysis.lifetimes.events else { return [] }
        return [
            Finding(
                kind: .lifetimes,
                text:
                    "\(Figures.percent(analysis.lifetimes.temporaryShare)) of the tensors are temporary (freed within "
                    + "\(LifetimeFigures.temporaryEvents) events), half live at most \(Figures.count(Int(lifetimes.p50))) events. "
                    + "For \(Figures.percent(analysis.reuse.reusableShare)) of the allocations a freed block of exactly their size is there."
            )
        ]
    }

    private var growth: [Finding] {
        guard let drift = analysis.drifts.first else { return [] }
        let others = analysis.drifts.count - 1
        let more =
            others == 0 ? "" : others == 1 ? " Another does the same." : " \(Figures.count(others)) others do the same."
        return [
            Finding(
                kind: .growth,
                text:
                    "A size grows step by step, as a cache that is extended does: from \(Figures.size(drift.firstBytes)) to "
                    + "\(Figures.size(drift.lastBytes)) by \(Figures.size(drift.stepBytes)), \(Figures.count(drift.sizes)) sizes.\(more) "
                    + "Allocating its final size once saves the rest.")
        ]
    }

    private var threads: [Finding] {
        guard let crossing = analysis.threads.crossings.first else { return [] }
        return [
            Finding(
                kind: .threads,
                text:
                    "\(Figures.count(analysis.summary.crossThreadFreeCount)) tensors are freed by another thread than "
                    + "allocated them, most by thread \(crossing.freedBy) from thread \(crossing.allocatedBy) "
                    + "(\(Figures.count(crossing.frees))): caches of single threads do not serve those.")
        ]
    }

    private var leaks: [Finding] {
        analysis.likelyLeaks.prefix(3).map { leak in
            let what = leak.byteCount.map { "tensors of \(Figures.size($0))" } ?? "tensors of changing sizes"
            return Finding(
                kind: .leak,
                text: "Likely leak: \(Figures.count(leak.blocks)) \(what) are never freed, in \(leak.stretches) of "
                    + "\(leak.stretchesSeen) stretches of the trace; \(Figures.size(leak.bytesPerStretch)) more each time."
            )
        }
    }

    private var recording: [Finding] {
        analysis.irregularities.line.map { [Finding(kind: .recording, text: "Odd in the recording: \($0).")] } ?? []
    }

    private var replay: [Finding] {
        guard estimate.replayedEvents < estimate.traceEvents else { return [] }
        return [
            Finding(
                kind: .replay,
                text:
                    "To stay within the time, not every allocator replayed all of the \(Figures.count(estimate.traceEvents)) "
                    + "events: the slowest got samples of \(Figures.count(estimate.replayedEvents)), like the whole in sizes; "
                    + "--seconds gives it more.")
        ]
    }
}

extension String {
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
