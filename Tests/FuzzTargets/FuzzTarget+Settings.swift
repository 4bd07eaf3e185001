internal import Foundation
internal import PoolModel
internal import TensorPool

extension FuzzTarget {
    /// Whatever is accepted comes back as it was, and makes a pool that serves or says why not.
    static func makePool(_ bytes: [UInt8]) throws(ModelFailure) {
        guard let configuration = try? JSONDecoder().decode(PoolConfiguration.self, from: Data(bytes)) else { return }
        guard let text = try? JSONEncoder().encode(configuration),
            let again = try? JSONDecoder().decode(PoolConfiguration.self, from: text), again == configuration
        else { throw ModelFailure("a configuration that was read does not come back: \(configuration)") }
        do throws(TensorPoolError) {
            let base = try HybridMemoryPool(configuration: .init(byteLimit: 64 << 20))
            let pool: any TensorAllocator =
                switch configuration {
                case .standard(let configuration): try TensorMemoryPool(base, configuration: configuration)
                case .optimized(let configuration): try OptimizedTensorMemoryPool(base, configuration: configuration)
                case .adaptive(let configuration): try AdaptiveTensorMemoryPool(base, configuration: configuration)
                }
            for byteCount in [100, 20_000, 1 << 20, 100] {
                unsafe try pool.allocate(byteCount: byteCount).withUnsafeMutableBytes { unsafe Fixtures.dirty($0) }
            }
        } catch {
            try check(error)
        }
    }

    /// `name=value` in each line; and all of it as words of `TENSOR_POOL_DEBUG`.
    static func readSettings(_ bytes: [UInt8]) throws(ModelFailure) {
        let text = String(decoding: bytes, as: UTF8.self)
        let words: DebugOptions?
        do throws(TensorPoolError) {
            words = try DebugOptions(text)
        } catch {
            words = nil
            try check(error)
        }
        if let words, (try? DebugOptions(words.description)) != words {
            throw ModelFailure("\(words) does not come back")
        }
        var settings: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            settings[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
        }
        do throws(TensorPoolError) { _ = try MemoryPressureConfiguration(settings: settings) } catch {
            try check(error)
        }
    }

    /// A refusal is of what was given, and says so.
    private static func check(_ error: TensorPoolError) throws(ModelFailure) {
        switch error {
        case .invalidConfiguration(_, _, let reason) where !reason.isEmpty: break
        case .limitReached, .outOfMemory: break
        default: throw ModelFailure("refused: \(error)")
        }
    }
}
