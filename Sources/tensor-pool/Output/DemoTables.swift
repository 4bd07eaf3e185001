import Foundation

extension DemoOutput {
    /// For people: each stage with what was chosen and why, then what the pool recommends and what a trim returned.
    var text: String {
        var lines = ["Machine  \(machine.line)"]
        for stage in stages { lines += [""] + text(of: stage) }
        lines += ["", "What the pool recommends after all this"]
        lines += recommendations.isEmpty ? ["Nothing."] : recommendations.map { "- \($0.finding): \($0.advice)" }
        lines += ["", "Giving memory back"]
        return (lines + trims.map(line)).joined(separator: "\n")
    }

    private func text(of stage: Stage) -> [String] {
        let repeated = stage.name == "weights" ? "" : ", \(Figures.count(steps)) steps"
        var lines = ["\(stage.name.capitalized): \(stage.explanation)\(repeated)"]
        var table = FigureTable([.number("size"), .text("use"), .text("strategy"), .text("because")])
        for decision in stage.decisions {
            let strategy =
                decision.strategyBefore == decision.strategy
                ? decision.strategy : "\(decision.strategyBefore), then \(decision.strategy)"
            table.append([Figures.size(decision.byteCount), decision.use, strategy, decision.reason])
        }
        lines.append(table.text)
        if stage.name != "weights" {
            lines.append(
                "\(Figures.count(stage.allocations)) allocations: \(Figures.percent(stage.reuseRate)) needed no new memory, "
                    + "the thread's own cache served \(Figures.percent(stage.cacheHitRate)).")
        }
        return lines
    }

    private func line(_ trim: Trim) -> String {
        let live =
            trim.liveBytes == 0
            ? "With nothing alive" : "With \(Figures.mebibytes(trim.liveBytes)) MiB of weights alive"
        guard trim.releasedBytes > 0 else { return "\(live), trim() found nothing to give up." }
        let released = "trim() gave up \(Figures.mebibytes(trim.releasedBytes)) MiB that the pool held"
        let resident = trim.residentBytesReturned.map {
            "; resident memory fell by \(Figures.mebibytes($0)) MiB"
        }
        return "\(live), \(released)\(resident ?? "")."
    }
}
