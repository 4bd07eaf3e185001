import Foundation
import Testing

@testable import AllocationTrace

@Suite struct PlannerTests {
    /// Any number of the kind of minimalloc's: a slab cut into pieces at random, so that a plan without waste is known to
    /// exist.
    static func cutSlab(
        count: Int, height: Int, length: Int, random: inout SeededGenerator
    ) throws -> PlanningProblem {
        var pieces = [(time: 0..<length, bytes: 0..<height)]
        while pieces.count < count {
            let place = Int.random(in: 0..<pieces.count, using: &random)
            let piece = pieces.remove(at: place)
            if Bool.random(using: &random), piece.time.count > 1 {
                let cut = Int.random(in: piece.time.lowerBound + 1..<piece.time.upperBound, using: &random)
                pieces.append((piece.time.lowerBound..<cut, piece.bytes))
                pieces.append((cut..<piece.time.upperBound, piece.bytes))
            } else if piece.bytes.count > 1 {
                let cut = Int.random(in: piece.bytes.lowerBound + 1..<piece.bytes.upperBound, using: &random)
                pieces.append((piece.time, piece.bytes.lowerBound..<cut))
                pieces.append((piece.time, cut..<piece.bytes.upperBound))
            } else {
                pieces.append(piece)
            }
        }
        pieces.shuffle(using: &random)
        return try PlanningProblem(
            items: pieces.enumerated().map {
                .init(id: "\($0)", lower: $1.time.lowerBound, upper: $1.time.upperBound, byteCount: $1.bytes.count)
            })
    }

    @Test func everyPlanIsValid() throws {
        let seed = SeededGenerator.runSeed("everyPlanIsValid")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let items = (0..<Int.random(in: 0...60, using: &random)).map { index in
                let lower = Int.random(in: -20..<40, using: &random)
                return PlanningProblem.Item(
                    id: "\(index)", lower: lower, upper: lower + .random(in: 1...30, using: &random),
                    byteCount: .random(in: 1...300, using: &random))
            }
            let problem = try PlanningProblem(items: items)
            let alignment = [1, 64, 100].randomElement(using: &random)!
            let outcomes = Planner(alignment: alignment, timeLimit: .milliseconds(50)).run(problem)
            #expect(outcomes.map(\.algorithm) == PlanningAlgorithm.allCases)
            for outcome in outcomes {
                let plan = try #require(outcome.plan, "\(outcome.algorithm), seed \(seed)")
                let height = try PlanChecker.check(problem, offsets: plan.offsets, alignment: alignment)
                #expect(height == plan.byteCount)
                #expect(height >= problem.peakLiveBytes)
            }
        }
    }

    @Test func exactSearchIsAsGoodAsTryingEverything() throws {
        let seed = SeededGenerator.runSeed("exactSearchIsAsGoodAsTryingEverything")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let items = (0..<Int.random(in: 1...7, using: &random)).map { index in
                let lower = Int.random(in: 0..<8, using: &random)
                return PlanningProblem.Item(
                    id: "\(index)", lower: lower, upper: lower + .random(in: 1...5, using: &random),
                    byteCount: .random(in: 1...9, using: &random))
            }
            let problem = try PlanningProblem(items: items)
            let outcomes = Planner(timeLimit: .seconds(5)).run(problem)
            let best = try #require(outcomes.last { $0.algorithm == .exactSearch }?.plan?.byteCount)
            #expect(best == Self.optimum(of: problem), "\(items), seed \(seed)")
        }
    }

    /// The least that any plan needs: placed at the lowest gap in some order, the items make an optimal plan.
    private static func optimum(of problem: PlanningProblem) -> Int {
        let items = problem.items
        var best = Int.max
        var placed: [(item: Int, offset: Int)] = []
        func search(_ open: [Int], peak: Int) {
            if peak >= best { return }
            if open.isEmpty {
                best = peak
                return
            }
            for item in open {
                let others = placed.filter {
                    items[$0.item].lower < items[item].upper && items[item].lower < items[$0.item].upper
                }
                .sorted { $0.offset < $1.offset }
                var offset = 0
                for other in others {
                    if other.offset - offset >= items[item].byteCount { break }
                    offset = max(offset, other.offset + items[other.item].byteCount)
                }
                placed.append((item, offset))
                search(open.filter { $0 != item }, peak: max(peak, offset + items[item].byteCount))
                placed.removeLast()
            }
        }
        search(Array(items.indices), peak: 0)
        return best
    }

    /// A slab cut in 90 pieces, no waste possible: quick form of ``hardInstancesFitTheirCapacity()``.
    @Test func findsAPlanWithoutWaste() throws {
        var random = SeededGenerator(seed: 4)
        let problem = try Self.cutSlab(count: 90, height: 1 << 10, length: 60, random: &random)
        #expect(problem.peakLiveBytes == 1 << 10)
        let outcomes = Planner(timeLimit: .seconds(20)).run(problem)
        let plan = try #require(outcomes.compactMap(\.plan).min { $0.byteCount < $1.byteCount })
        #expect(try PlanChecker.check(problem, offsets: plan.offsets) == 1 << 10)
    }

    @Test func partsThatShareNoMomentArePlannedAlone() throws {
        // Each second alone needs 30; the parts share no moment, so all of them need no more.
        let items = (0..<50).flatMap { step in
            (0..<3).map { PlanningProblem.Item(id: "\(step).\($0)", lower: step, upper: step + 1, byteCount: 10) }
        }
        let outcomes = Planner().run(try PlanningProblem(items: items))
        #expect(outcomes.allSatisfy { $0.plan?.byteCount == 30 })
    }

    @Test func aCapacityIsGoodEnough() throws {
        var random = SeededGenerator(seed: 9)
        let problem = try Self.cutSlab(count: 150, height: 1 << 12, length: 80, random: &random)
        let clock = ContinuousClock()
        let start = clock.now
        let outcomes = Planner(capacity: 3 << 12, timeLimit: .seconds(600)).run(problem)
        #expect(outcomes.contains { $0.plan.map { $0.byteCount <= 3 << 12 } ?? false })
        #expect(start.duration(to: clock.now) < .seconds(300))
    }

    @Test func tellsHowFarItIs() throws {
        var random = SeededGenerator(seed: 4)
        let problem = try Self.cutSlab(count: 90, height: 1 << 10, length: 60, random: &random)
        var reports: [PlanningProgress] = []
        let outcomes = Planner(timeLimit: .seconds(20)).run(problem) { reports.append($0) }
        let beginnings = reports.filter { $0.stepCount == 0 }
        #expect(beginnings.map(\.algorithm) == PlanningAlgorithm.allCases)
        var best: Int?
        for (beginning, outcome) in zip(beginnings, outcomes) {
            #expect(beginning.bestByteCount == best)
            if let plan = outcome.plan { best = min(plan.byteCount, best ?? .max) }
        }
    }

    @Test func theWatchCountsStepsOfTheAlgorithmThatRuns() {
        var reports: [PlanningProgress] = []
        let watch = PlanningWatch { reports.append($0) }
        let end = ContinuousClock.now.advanced(by: .seconds(3600))
        watch.begin(.bySize)
        #expect(!watch.isOver(end, steps: 64))
        #expect(watch.isOver(ContinuousClock.now, steps: 64))
        watch.begin(.exactSearch)
        var steps = 0
        while reports.count < 3 {
            steps += 256
            #expect(!watch.isOver(end, steps: 256))
        }
        #expect(reports.map(\.algorithm) == [.bySize, .exactSearch, .exactSearch])
        #expect(reports.map(\.stepCount) == [0, 0, steps])
    }

    @Test func extremesAreSurvived() throws {
        let problem = try PlanningProblem(items: [
            .init(id: "", lower: .min, upper: .max, byteCount: 1 << 59),
            .init(id: "", lower: .max - 1, upper: .max, byteCount: 1),
            .init(id: "", lower: .min, upper: .min + 1, byteCount: (1 << 59) - 1),
        ])
        let outcomes = Planner(alignment: 1 << 21, timeLimit: .seconds(1)).run(problem)
        for case let plan? in outcomes.map(\.plan) {
            try PlanChecker.check(problem, offsets: plan.offsets, alignment: 1 << 21)
        }
        #expect(outcomes.first?.plan != nil)
        #expect(throws: PlanningProblemError.totalTooLarge(index: 1, id: "b", limit: 1 << 60)) {
            try PlanningProblem(items: [
                .init(id: "a", lower: 0, upper: 1, byteCount: 1 << 60),
                .init(id: "b", lower: 1, upper: 2, byteCount: 1),
            ])
        }
    }

    /// The published hard instances, in the folder that TENSOR_POOL_MINIMALLOC names: minutes.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["TENSOR_POOL_MINIMALLOC"] != nil))
    func hardInstancesFitTheirCapacity() throws {
        let folder = URL(filePath: ProcessInfo.processInfo.environment["TENSOR_POOL_MINIMALLOC"] ?? "")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "csv" }.sorted { $0.lastPathComponent < $1.lastPathComponent }
        #expect(!files.isEmpty)
        for file in files {
            // The capacity is in the name: A.1048576.csv.
            let capacity = try #require(Int(file.deletingPathExtension().pathExtension))
            let problem = try PlanningProblem.read(file.path(percentEncoded: false))
            let outcomes = Planner(capacity: capacity, timeLimit: .seconds(58)).run(problem)
            let plan = try #require(outcomes.compactMap(\.plan).min { $0.byteCount < $1.byteCount })
            #expect(try PlanChecker.check(problem, offsets: plan.offsets) == plan.byteCount)
            #expect(plan.byteCount <= capacity, "\(file.lastPathComponent)")
        }
    }
}
