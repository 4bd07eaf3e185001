import Dispatch
import Foundation

/// A line on standard error that tells how far long work is. Silent where standard error is not a terminal.
final class Progress {
    private let isShown = isatty(STDERR_FILENO) == 1
    private let clock = ContinuousClock()
    private var width = 0
    private var work = ""
    private var start = ContinuousClock.now

    func show(_ text: String) {
        guard isShown else { return }
        write("\r" + text + String(repeating: " ", count: max(0, width - text.count)))
        width = text.count
    }

    /// Tells how many parts of some work are done; from its first second on with the rate and the time that is left.
    /// - Parameter subject: what it is at now, which may change while the work goes on.
    func show(_ work: String, on subject: String? = nil, _ done: Int, of total: Int, _ unit: String) {
        guard isShown else { return }
        if work != self.work {
            self.work = work
            start = clock.now
        }
        let name = subject.map { "\(work) on \($0)" } ?? work
        show(Self.line(name, done, of: total, unit, elapsed: (clock.now - start) / .seconds(1)))
    }

    /// Runs something that takes a known time, and tells every second how much of it is left.
    func show<Result>(_ work: String, lasting seconds: Double, while body: () throws -> Result) rethrows -> Result {
        guard isShown, seconds > 1 else { return try body() }
        let start = ContinuousClock.now
        let timer = DispatchSource.makeTimerSource()
        timer.setEventHandler {
            let elapsed = (ContinuousClock.now - start) / .seconds(1)
            // The line belongs to the timer until it is cancelled below.
            StandardError.rewrite(
                "\(work): \(Self.remaining(done: min(elapsed, seconds), of: seconds, elapsed: elapsed))")
        }
        timer.schedule(deadline: .now() + 1, repeating: 1)
        timer.activate()
        defer {
            timer.cancel()
            width = 79
        }
        return try body()
    }

    /// Takes the line away again.
    func finish() {
        work = ""
        guard isShown, width > 0 else { return }
        write("\r" + String(repeating: " ", count: width) + "\r")
        width = 0
    }

    /// `replaying: round 12 of 100, 8.30 a second, 12 %, 11 s left`
    static func line(_ work: String, _ done: Int, of total: Int, _ unit: String, elapsed: Double) -> String {
        let counted = "\(work): \(unit) \(Figures.count(done)) of \(Figures.count(total))"
        guard done > 0, elapsed >= 1 else { return counted }
        let rate = Figures.decimal(Double(done) / elapsed)
        return "\(counted), \(rate) a second, \(remaining(done: Double(done), of: Double(total), elapsed: elapsed))"
    }

    /// `12 %, 11 s left`
    static func remaining(done: Double, of total: Double, elapsed: Double) -> String {
        let left = done > 0 ? max(0, total - done) * elapsed / done : 0
        return String(format: "%.0f %%, %.0f s left", min(100, 100 * done / max(total, 1e-9)), left)
    }

    private func write(_ text: String) {
        // A terminal that has gone away is no reason to fail.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
