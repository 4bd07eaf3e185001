import AllocationTrace

/// What `tensor-pool check-estimate --format json` prints: gains as `analyze` estimates them beside those that replaying
/// whole traces shows. The keys are stable: later versions add keys and keep these.
struct EstimateCheck: Codable, Equatable, FigureOutput {
    enum Verdict: String, Codable, CaseIterable {
        /// Within ``Gain/tolerance`` of what was measured.
        case agrees
        /// Not within it, but between the lowest and the highest ratio that was measured, or the other way round: the
        /// estimate told how far its turns lie apart, and what was measured lies between them.
        case within
        /// Neither, and what was measured lies further apart from turn to turn than the tolerance.
        case varies
        /// Neither, though what was measured was stable.
        case differs
    }

    struct Comparison: Codable, Equatable {
        let estimated: Gain
        let measured: Gain
        let verdict: Verdict

        init(estimated: Gain, measured: Gain) {
            self.estimated = estimated
            self.measured = measured
            verdict =
                estimated.agrees(with: measured)
                ? .agrees
                : measured.contains(estimated) || estimated.contains(measured)
                    ? .within : measured.isStable ? .differs : .varies
        }
    }

    struct File: Codable, Equatable {
        /// As it was named.
        let file: String
        /// Of the trace.
        let events: Int
        /// Of the estimate, on the allocator that replayed fewest.
        let replayedEvents: Int
        /// What the estimate took.
        let seconds: Double
        /// Processes of each allocator.
        let estimateTurns: Int
        let comparisons: [Comparison]
    }

    let machine: MachineDescription
    let touch: Touch
    /// Processes of each allocator that the measured gains come from.
    let turns: Int
    let files: [File]

    func count(_ verdict: Verdict) -> Int {
        files.reduce(0) { sum, file in sum + file.comparisons.count { $0.verdict == verdict } }
    }
}

extension EstimateCheck {
    /// For people.
    var text: String {
        let head = [
            "Touch    \(touch.line)",
            "Measured \(Figures.count(turns, "process", "processes")) of each allocator, whole trace",
            "Machine  \(machine.line)",
        ]
        let rows = files.flatMap { file in
            [
                "",
                "\(file.file): estimated in \(Figures.decimal(file.seconds)) s, \(Figures.count(file.estimateTurns)) turns, "
                    + "at least \(Figures.count(file.replayedEvents)) of \(Figures.count(file.events, "event"))",
                table(file),
            ]
        }
        let total = files.reduce(0) { $0 + $1.comparisons.count }
        let line =
            "\(Figures.count(count(.agrees))) of \(Figures.count(total)) within \(Figures.percent(Gain.tolerance)); "
            + "\(Figures.count(count(.within))) not, but between the lowest and the highest of the other; "
            + "\(Figures.count(count(.varies))) outside, where these lie further apart than that; "
            + "\(Figures.count(count(.differs))) outside, though they do not."
        return (head + rows + ["", line]).joined(separator: "\n")
    }

    private func table(_ file: File) -> String {
        var table = FigureTable([
            .text("pool"), .text("over"), .number("estimated"), .number("lowest"), .number("highest"),
            .number("measured"), .number("lowest"), .number("highest"), .number("off by"), .text("verdict"),
        ])
        for comparison in file.comparisons {
            let (estimated, measured) = (comparison.estimated, comparison.measured)
            table.append([
                measured.pool, measured.peer, Figures.decimal(estimated.ratio), Figures.decimal(estimated.lowest),
                Figures.decimal(estimated.highest), Figures.decimal(measured.ratio), Figures.decimal(measured.lowest),
                Figures.decimal(measured.highest), Figures.percent(estimated.ratio / measured.ratio - 1),
                comparison.verdict.rawValue,
            ])
        }
        return table.text
    }
}
