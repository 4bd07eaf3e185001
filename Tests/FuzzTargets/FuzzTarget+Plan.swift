internal import Foundation
internal import PoolModel
internal import TensorPool

extension FuzzTarget {
    /// The bytes up to a zero are the plan; those behind it say which of its tensors are asked for and freed.
    static func executePlan(_ bytes: [UInt8]) throws(ModelFailure) {
        let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        guard let layout = try? JSONDecoder().decode(StaticPlanLayout.self, from: Data(parts[0])),
            layout.byteCount <= 64 << 20
        else { return }
        guard let text = try? JSONEncoder().encode(layout),
            let again = try? JSONDecoder().decode(StaticPlanLayout.self, from: text), again == layout
        else { throw ModelFailure("a plan that was read does not come back") }
        var broken: String?
        do throws(TensorPoolError) {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: 256 << 20))
            broken = try execute(layout, upstream: base, Choices(bytes: parts.count > 1 ? Array(parts[1]) : []))
        } catch {
            if case .limitReached = error { return }
            broken = "refused: \(error)"
        }
        if let broken { throw ModelFailure("a plan broke: \(broken)") }
    }

    /// What went wrong; nil for nothing.
    private static func execute(
        _ layout: StaticPlanLayout, upstream: HybridMemoryPool, _ given: Choices
    ) throws(TensorPoolError) -> String? {
        let plan = try StaticPlan(layout, upstream: upstream)
        var choices = given
        var shadow = ShadowMap()
        var live: [PatternedBuffer] = []
        var next = 0
        while !choices.isExhausted {
            switch choices.below(8) {
            case 0..<4:
                let planned = layout.allocations[next % layout.allocations.count].byteCount
                let byteCount = choices.below(6) == 0 ? 1 + choices.below(1 << 12) : planned
                next += choices.below(6) == 0 ? 2 : 1
                let tensor = PatternedBuffer(try plan.allocate(byteCount: byteCount))
                guard shadow.insert(tensor.address, byteCount) else { return "two tensors overlap" }
                tensor.fill(choices.filler())
                live.append(tensor)
            case 4..<7 where !live.isEmpty:
                let tensor = live.remove(at: choices.below(live.count))
                guard tensor.isIntact else { return "the contents of \(tensor.byteCount) bytes changed" }
                guard shadow.remove(tensor.address, tensor.byteCount) else { return "a tensor moved" }
            default: plan.beginStep()
            }
        }
        return live.allSatisfy(\.isIntact) ? nil : "contents changed"
    }
}

/// A buffer of a plan, and what was written to it.
private final class PatternedBuffer {
    private let buffer: TensorBuffer
    private var pattern: UInt64 = 0

    init(_ buffer: consuming TensorBuffer) { self.buffer = buffer }

    var byteCount: Int { buffer.byteCount }
    var address: UInt { UInt(bitPattern: unsafe buffer.baseAddress) }

    func fill(_ pattern: UInt64) {
        self.pattern = pattern
        unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.fill($0, pattern) }
    }
    var isIntact: Bool { unsafe buffer.withUnsafeMutableBytes { unsafe Fixtures.holds($0, pattern) } }
}
