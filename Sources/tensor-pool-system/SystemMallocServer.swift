import AllocationTrace
import Foundation

/// Carries the requests out. Keeps the replay that it is in, so that rounds can be asked for one by one.
final class SystemMallocServer {
    private struct Subject: Equatable {
        let path: String
        let touch: Touch
    }

    private var subject: Subject?
    private var replay: Replay<SystemMallocBlock>?

    func answer(_ request: SystemMallocRequest) -> SystemMallocReply {
        do {
            switch request {
            case .describe:
                return .description(Self.description)
            case .pair(let pair, let iterations, let budgetNanoseconds):
                return .pair(
                    try pair.measure(
                        SystemMallocBlock.self, on: (), iterations: iterations,
                        budget: .nanoseconds(budgetNanoseconds)))
            case .replay(let path, let touch, let rounds):
                return .replay(try run(Subject(path: path, touch: touch), rounds: rounds))
            }
        } catch {
            return .failure(reason: "\(error)")
        }
    }

    private func run(_ wanted: Subject, rounds: Int) throws -> ReplayReport {
        if wanted != subject {
            replay = nil
            subject = nil
            replay = try Replay(
                TraceFile.read(wanted.path, options: TraceFile.Options(details: [])).trace, on: (), touch: wanted.touch)
            subject = wanted
        }
        return try replay!.run(rounds: rounds)
    }

    private static var description: SystemMallocDescription {
        // Looks a symbol up by a name that outlives the call, in all that the process has loaded.
        let jemalloc = unsafe dlsym(dlopen(nil, RTLD_NOW), "mallctl")
        return unsafe SystemMallocDescription(
            allocator: libraryVersion ?? "the system's malloc", isReplacedByJemalloc: jemalloc != nil)
    }

    /// Such as `glibc 2.36`.
    private static var libraryVersion: String? {
        #if canImport(Glibc)
        var bytes = [UInt8](repeating: 0, count: 64)
        let length = unsafe bytes.withUnsafeMutableBytes { buffer in
            // Fills at most the array that the closure borrows.
            unsafe confstr(Int32(_CS_GNU_LIBC_VERSION), buffer.baseAddress, buffer.count)
        }
        return length == 0 ? nil : String(decoding: bytes.prefix(while: { $0 != 0 }), as: UTF8.self)
        #else
        return nil
        #endif
    }
}
