import AllocationTrace
import Foundation
import TensorPool

/// What replaying a trace costs on each pool, on jemalloc, on the system's malloc and on other peers: measured, each in
/// processes of its own, which take turns.
struct ReplayEstimate: Codable, Equatable {
    /// Events of the trace.
    let traceEvents: Int
    /// Events in a round of the subject that replayed fewest: see ``ReplaySubject/eventsPerRound``.
    let replayedEvents: Int
    /// What is written to each block.
    let touch: Touch
    /// Processes for each subject.
    var turns: Int
    var subjects: [ReplaySubject]
    /// Of each pool over each other allocator.
    let gains: [Gain]
    /// Why nothing is written to the blocks though that was asked; nil, and no key in JSON, where it is as was asked.
    var untouchedBecause: String?

    /// What is written to each block, in words.
    var touchText: String { touch.rawValue + (untouchedBecause.map { ", because \($0)" } ?? "") }

    /// How the measurements were taken, in words.
    var turnsText: String {
        turns == 1 ? "one process each" : "\(turns) processes each, which take turns"
    }

    func subject(_ name: String) -> ReplaySubject? { subjects.first { $0.name == name } }

    func gain(of pool: String, over peer: String) -> Gain? { gains.first { $0.pool == pool && $0.peer == peer } }

    /// The subject that is measured in a suggested configuration.
    static let suggested = "suggested"
}
