import Foundation
import FuzzTargets
import PoolModel
import Testing

/// What the fuzzer found worth keeping, and what once broke something, is run again.
@Suite(.serialized) struct FuzzCorpusTests {
    private static func corpus(_ target: FuzzTarget) throws -> [URL] {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let folder = tests.appending(path: "FuzzCorpora/\(target.rawValue)")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }

    @Test(arguments: FuzzTarget.allCases) func keptInputsBreakNothing(_ target: FuzzTarget) throws {
        let files = try Self.corpus(target)
        #expect(!files.isEmpty)
        for file in files {
            let bytes = try Array(Data(contentsOf: file))
            do throws(ModelFailure) { try target.run(bytes) } catch {
                Issue.record("\(file.lastPathComponent): \(error)")
            }
        }
    }
}
