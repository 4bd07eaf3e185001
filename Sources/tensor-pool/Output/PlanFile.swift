import AllocationTrace
import Foundation
import TensorPool

/// A plan as it is written.
struct PlanFile {
    let problem: PlanningProblem
    let plan: Plan
    let alignment: Int

    /// Writes JSON for ``StaticPlanLayout``, or CSV where the name ends so. The file appears when it is complete.
    func write(to output: OutputFile) throws {
        try output.write(output.path.hasSuffix(".csv") ? Data(csv.utf8) : try json())
    }

    /// In order of allocation: what is allocated at one moment, in the problem's order.
    private func json() throws -> Data {
        let items = problem.items
        let order = items.indices.sorted { (items[$0].lower, $0) < (items[$1].lower, $1) }
        // The slab is as long as rounding to the alignment makes it.
        let byteCount = (max(1, plan.byteCount) + alignment - 1) / alignment * alignment
        let layout = try StaticPlanLayout(
            allocations: order.map { .init(offset: plan.offsets[$0], byteCount: items[$0].byteCount) },
            byteCount: byteCount, alignment: max(64, alignment))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try encoder.encode(layout)
    }

    /// The problem with a column of offsets, as minimalloc writes its solutions.
    private var csv: String {
        let rows = zip(problem.items, plan.offsets).map { item, offset in
            "\(item.id),\(item.lower),\(item.upper),\(item.byteCount),\(offset)\n"
        }
        return "id,lower,upper,size,offset\n" + rows.joined()
    }
}
