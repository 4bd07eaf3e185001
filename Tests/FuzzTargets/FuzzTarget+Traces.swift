package import AllocationTrace
internal import Foundation
internal import PoolModel

extension FuzzTarget {
    /// Reads a trace; nil where it is refused. Text is read in pieces of 4 KiB, so that an input has more than one.
    static func readTrace(_ bytes: [UInt8], format: TraceFormat?) throws(ModelFailure) -> AllocationTrace? {
        let path = try ScratchFiles.write("trace", bytes)
        var options = TraceFile.Options()
        options.maximumEvents = 1 << 14
        if let format, format != .tptrace { options.bufferByteCount = 4096 }
        let trace: AllocationTrace
        do throws(TraceReadError) {
            trace = try TraceFile.read(path, options: options, format: format).trace
        } catch {
            guard !error.description.isEmpty else { throw ModelFailure("an error without words") }
            return nil
        }
        guard isLegal(trace) else { throw ModelFailure("a trace that is no legal history") }
        return trace
    }

    /// Whatever a file holds, its trace has figures that JSON has, and comes back from every format.
    static func analyzeTrace(_ bytes: [UInt8]) throws(ModelFailure) {
        guard let trace = try readTrace(bytes, format: nil) else { return }
        guard (try? JSONEncoder().encode(TraceAnalysis(trace))) != nil else {
            throw ModelFailure("an analysis that cannot be written")
        }
        // A Chrome trace without events is taken for one of something else.
        for format in TraceFormat.writable where !trace.events.isEmpty {
            let path = ScratchFiles.folder + "/written.\(format)"
            let again: AllocationTrace
            do {
                try TraceFile.write(trace, to: path, as: format)
                again = try TraceFile.read(path, format: format).trace
            } catch {
                throw ModelFailure("written as \(format) it is no trace: \(error)")
            }
            guard again.events.map(\.kind) == trace.events.map(\.kind),
                again.events.map(\.byteCount) == trace.events.map(\.byteCount)
            else { throw ModelFailure("written as \(format) it is another trace") }
        }
    }

    /// What begins as a recording becomes a trace, whatever follows: a legal one, or one whose error says what it lacks.
    static func convertRecording(_ bytes: [UInt8]) throws(ModelFailure) {
        let path = try ScratchFiles.write("1-0.raw", bytes)
        guard let recording = RawRecording(path: path) else { return }
        let output = ScratchFiles.folder + "/recorded.tptrace"
        do { try recording.write(to: output) } catch { throw ModelFailure("no trace is written: \(error)") }
        let trace: AllocationTrace
        do throws(TraceReadError) {
            trace = try TraceFile.read(output, format: .tptrace).trace
        } catch {
            guard !error.description.isEmpty else { throw ModelFailure("an error without words") }
            return
        }
        guard isLegal(trace) else { throw ModelFailure("a recording that becomes no legal history") }
    }

    /// Plans a problem with few items by every algorithm: each plan is valid.
    static func planProblem(_ bytes: [UInt8]) throws(ModelFailure) {
        _ = try readTrace(bytes, format: .minimalloc)
        let path = try ScratchFiles.write("problem", bytes)
        guard let problem = try? PlanningProblem.read(path), (1...24).contains(problem.items.count) else { return }
        let alignment = bytes.count % 2 == 0 ? 1 : 64
        for outcome in Planner(alignment: alignment, timeLimit: .milliseconds(2)).run(problem) {
            guard let plan = outcome.plan else { continue }
            do throws(PlanChecker.Violation) {
                try PlanChecker.check(problem, offsets: plan.offsets, alignment: alignment)
            } catch {
                throw ModelFailure("a plan by \(outcome.algorithm): \(error)")
            }
            guard plan.byteCount >= problem.peakLiveBytes else { throw ModelFailure("a plan below the lower bound") }
        }
    }
}

/// Whether a replay of the trace frees only what is live, and all of it.
package func isLegal(_ trace: AllocationTrace) -> Bool {
    var live = Set<UInt32>()
    for event in trace.events + trace.releases {
        switch event.kind {
        case .allocate:
            guard live.insert(event.slot).inserted, event.slot < trace.slotCount, event.byteCount > 0 else {
                return false
            }
        case .free:
            guard live.remove(event.slot) != nil else { return false }
        }
        guard Int(event.thread) < trace.threads.count else { return false }
    }
    let details = [trace.times.count, trace.addresses.count, trace.tensorIDs.count]
    guard details.allSatisfy({ $0 == 0 || $0 == trace.events.count }) else { return false }
    return live.isEmpty && zip(trace.times, trace.times.dropFirst()).allSatisfy { $0 <= $1 }
}
