import Foundation
import Testing

@testable import TensorPool

struct DebugOptionsTests {
    @Test func allWords() throws {
        let options = try DebugOptions(" fill,guard , pages=1/1000,faults,leaks,track,backtraces,")
        #expect(options.fillsMemory && options.usesGuardBytes && options.explainsFaults)
        #expect(options.reportsLeaks && options.tracksTensors && options.capturesBacktraces)
        #expect(options.guardPageInterval == 1000)
        #expect(try DebugOptions(options.description) == options)
        #expect(try DebugOptions("") == DebugOptions())
        #expect(!DebugOptions().isActive && !DebugOptions().watchesEveryTensor)
    }

    @Test func aShareThatTheCachesCanServeKeepsThem() throws {
        #expect(try !DebugOptions("pages=1/2048").watchesEveryTensor)
        #expect(try DebugOptions("pages=1/2047").watchesEveryTensor)
        for word in ["fill", "guard", "leaks", "track", "backtraces"] {
            #expect(try DebugOptions(word).watchesEveryTensor, "\(word)")
        }
    }

    @Test func anUnknownWordIsAnErrorThatListsTheKnownOnes() {
        let failure = refusal { () throws(TensorPoolError) in _ = try DebugOptions("fill,gaurd") }
        guard case .invalidConfiguration("debugging", "gaurd", let reason) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        for word in ["fill", "guard", "pages=1/N", "faults", "leaks", "track", "backtraces"] {
            #expect(reason.contains(word))
        }
    }

    @Test(arguments: ["pages=1/0", "pages=1/-5", "pages=1/x", "pages=1/", "pages=1/99999999999999999999", "faults"])
    func whatCannotBe(_ words: String) {
        let failure = refusal { () throws(TensorPoolError) in _ = try DebugOptions(words) }
        guard case .invalidConfiguration("debugging", words, _) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    @Test func inConfigurationFiles() throws {
        var configuration = AdaptiveConfiguration()
        configuration.debugging = try DebugOptions("pages=1/1000,faults")
        configuration.standard.debugging = try DebugOptions("guard")
        configuration.standard.scrubOnFree = true
        configuration.optimized.debugging = try DebugOptions("fill")
        configuration.optimized.scrubOnFree = true
        configuration.scrubOnFree = true
        let whole = PoolConfiguration.adaptive(configuration)
        let file = try JSONEncoder().encode(whole)
        #expect(try JSONDecoder().decode(PoolConfiguration.self, from: file) == whole)
        let unknown = Data(#"{"version": 1, "pool": "standard", "configuration": {"debugging": "fil"}}"#.utf8)
        #expect {
            try JSONDecoder().decode(PoolConfiguration.self, from: unknown)
        } throws: { error in
            guard case .invalidConfiguration("configuration.debugging", "fil", _)? = error as? TensorPoolError else {
                return false
            }
            return true
        }
    }

    /// The variable belongs to the process, so a process of its own.
    @Test func theEnvironmentIsReadWhenAPoolIsMade() async {
        await #expect(processExitsWith: .success) {
            let base = try HybridMemoryPool()
            unsafe setenv("TENSOR_POOL_DEBUG", "guard", 1)
            let findings = Findings(of: base)
            for pool: any TensorAllocator in [
                try TensorMemoryPool(base), try OptimizedTensorMemoryPool(base, configuration: .bare),
                try AdaptiveTensorMemoryPool.bare(base), try HybridMemoryPool(),
            ] {
                let base = pool as? HybridMemoryPool
                let ownFindings = base.map { Findings(of: $0) } ?? findings
                let tensor = try pool.allocateTensor(id: 3, byteCount: 100)
                unsafe tensor.baseAddress.misuse(writing: 1, at: 100)
                try pool.deallocateTensor(id: 3, tensor)
                try #require(ownFindings.take().map(\.kind) == [.writtenPast])
            }
            unsafe setenv("TENSOR_POOL_DEBUG", "guards", 1)
            let failure = refusal { () throws(TensorPoolError) in _ = try TensorMemoryPool(base) }
            guard case .invalidConfiguration("TENSOR_POOL_DEBUG", "guards", _) = failure else { exit(1) }
            unsafe unsetenv("TENSOR_POOL_DEBUG")
            _ = try TensorMemoryPool(base)
        }
    }
}
