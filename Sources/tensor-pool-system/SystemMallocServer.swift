import AllocationTrace
import Foundation

/// Carries the requests out. Keeps the replay that it is in, so that rounds can be asked for one by one.
final class SystemMallocServer {
    private struct Subject: Equatable {
        let path: String
        let touch: Touch
        let mode: ReplayMode
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
            case .replay(let path, let touch, let mode, let warmUp, let rounds, let latencyRounds):
                let subject = Subject(path: path, touch: touch, mode: mode)
                return .replay(try run(subject, warmUp: warmUp, rounds: rounds, latencyRounds: latencyRounds))
            }
        } catch {
            return .failure(reason: "\(error)")
        }
    }

    private func run(_ wanted: Subject, warmUp: WarmUpLimit?, rounds: Int, latencyRounds: Int) throws -> ReplayReport {
        if wanted != subject {
            replay = nil
            subject = nil
            let details: TraceDetails = wanted.mode.speed == nil ? [] : .times
            replay = try Replay(
                TraceFile.read(wanted.path, options: TraceFile.Options(details: details)).trace, on: (),
                touch: wanted.touch, mode: wanted.mode)
            subject = wanted
        }
        let warmUp = try warmUp.map { try replay!.warmUp($0) }
        var report = try replay!.run(rounds: rounds, latencyRounds: latencyRounds)
        report.warmUp = warmUp
        return report
    }

    private static var description: SystemMallocDescription {
        // Looks a symbol up by a name that outlives the call, in all that the process has loaded.
        let jemalloc = unsafe dlsym(dlopen(nil, RTLD_NOW), "mallctl")
        return unsafe SystemMallocDescription(
            allocator: libraryVersion ?? "the system's malloc", isReplacedByJemalloc: jemalloc != nil,
            library: mallocLibrary)
    }

    private static var mallocLibrary: String? {
        guard let malloc = unsafe dlsym(dlopen(nil, RTLD_NOW), "malloc") else { return nil }
        let address = UInt(bitPattern: malloc)
        // A line is such as `7f1c00-7f1d00 r-xp 00028000 fe:00 1234   /usr/lib/libc.so.6`.
        for line in SystemFile.contents(of: "/proc/self/maps", limit: 1 << 20)?.split(separator: "\n") ?? [] {
            let bounds = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard bounds.count == 2, bounds[0] <= address, address < bounds[1] else { continue }
            return line.firstIndex(of: "/").map { String(line[$0...]) }
        }
        return nil
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
