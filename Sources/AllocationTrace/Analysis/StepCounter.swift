/// Counts what each step asks for, and which sizes come in lock-step.
struct StepCounter {
    /// The share of steps in which a size must come equally often.
    private static let lockStepShare = 0.9
    private static let sizesPerGroup = 32

    private let trace: AllocationTrace
    private let thread: Int
    private var table = SizeTable()
    private var allocationsOfStep: [Int] = []
    /// Of each size: how often it was asked for in the step at hand, and how many steps had how often.
    private var current: [Int] = []
    private var steps: [[Int: Int]] = []
    private var allocated = 0
    private var freedWithin = 0

    init(_ trace: AllocationTrace, thread: Int) {
        self.trace = trace
        self.thread = thread
    }

    mutating func count(_ step: Range<Int>) {
        var touched: Set<Int> = []
        var bornHere: Set<UInt32> = []
        var allocations = 0
        for index in step {
            let event = trace.events[index]
            if event.kind == .free {
                if bornHere.remove(event.slot) != nil { freedWithin += 1 }
                continue
            }
            guard Int(event.thread) == thread else { continue }
            allocations += 1
            bornHere.insert(event.slot)
            guard let size = table.number(of: event.byteCount) else { continue }
            if size == current.count {
                current.append(0)
                steps.append([:])
            }
            current[size] += 1
            touched.insert(size)
        }
        for size in touched {
            steps[size][current[size], default: 0] += 1
            current[size] = 0
        }
        allocated += allocations
        allocationsOfStep.append(allocations)
    }

    var medianAllocations: Int {
        allocationsOfStep.isEmpty ? 0 : allocationsOfStep.sorted()[allocationsOfStep.count / 2]
    }

    var freedWithinStepShare: Double { allocated > 0 ? Double(freedWithin) / Double(allocated) : 0 }

    var groups: [StepFigures.LockStepGroup] {
        let wanted = Self.lockStepShare * Double(allocationsOfStep.count)
        var sizes: [Int: [Int]] = [:]
        for size in steps.indices {
            guard let usual = steps[size].max(by: { ($0.value, $0.key) < ($1.value, $1.key) }),
                Double(usual.value) >= wanted
            else { continue }
            sizes[usual.key, default: []].append(table.sizes[size])
        }
        return sizes.map { times, sizes in
            StepFigures.LockStepGroup(
                timesPerStep: times, sizes: Array(sizes.sorted(by: >).prefix(Self.sizesPerGroup)),
                sizeCount: sizes.count)
        }.sorted { ($0.sizeCount, $0.timesPerStep) > ($1.sizeCount, $1.timesPerStep) }
    }
}
