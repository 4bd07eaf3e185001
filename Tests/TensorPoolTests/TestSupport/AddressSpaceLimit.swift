#if os(Linux)
import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Bounds how much more address space the process gets (`RLIMIT_AS`): what the system refuses then, `mmap` refuses.
struct AddressSpaceLimit {
    private let before: rlimit

    /// Leaves room for `headroom` bytes.
    init(headroom: Int) throws {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        let pages = try found(fields.first.flatMap { Int($0) })
        var limit = rlimit()
        guard unsafe getrlimit(Self.addressSpace, &limit) == 0 else { throw NothingFound() }
        before = limit
        limit.rlim_cur = rlim_t(pages * Int(sysconf(Int32(_SC_PAGESIZE))) + headroom)
        guard unsafe setrlimit(Self.addressSpace, &limit) == 0 else { throw NothingFound() }
    }

    /// Ends the bound.
    func lift() throws {
        var limit = before
        guard unsafe setrlimit(Self.addressSpace, &limit) == 0 else { throw NothingFound() }
    }

    #if canImport(Glibc)
    private static let addressSpace = __rlimit_resource_t(RLIMIT_AS.rawValue)
    #else
    private static let addressSpace = RLIMIT_AS
    #endif
}
#endif
