import CJemalloc
import Synchronization

extension Statistics {
    /// What a report of jemalloc's contains.
    public struct Contents: OptionSet, Sendable {
        /// One bit for each part.
        public let rawValue: Int

        /// Contents from their bits.
        public init(rawValue: Int) {
            self.rawValue = rawValue
        }

        /// Version, build, options and what else does not change.
        public static let general = Contents(rawValue: 1 << 0)
        /// The sums over all arenas.
        public static let allArenas = Contents(rawValue: 1 << 1)
        /// The sums over the arenas that have been destroyed.
        public static let destroyedArenas = Contents(rawValue: 1 << 2)
        /// Each arena.
        public static let arenas = Contents(rawValue: 1 << 3)
        /// Each small size class.
        public static let bins = Contents(rawValue: 1 << 4)
        /// Each large size class.
        public static let largeClasses = Contents(rawValue: 1 << 5)
        /// jemalloc's locks: how often they were taken and waited for.
        public static let locks = Contents(rawValue: 1 << 6)
        /// Unused extents by size.
        public static let extents = Contents(rawValue: 1 << 7)
        /// jemalloc's allocator of huge pages.
        public static let hugePages = Contents(rawValue: 1 << 8)

        /// Everything.
        public static let all = Contents(rawValue: (1 << 9) - 1)
        /// The totals: no single arena, size class or lock.
        public static let totals: Contents = [.general, .allArenas, .destroyedArenas]

        /// jemalloc's letter for leaving a part out (`STATS_PRINT_OPTIONS` in its stats.h).
        fileprivate var omissions: String {
            let letters: [(Contents, String)] = [
                (.general, "g"), (.allArenas, "m"), (.destroyedArenas, "d"), (.arenas, "a"), (.bins, "b"),
                (.largeClasses, "l"), (.locks, "x"), (.extents, "e"), (.hugePages, "h"),
            ]
            return letters.filter { !contains($0.0) }.map(\.1).joined()
        }
    }

    /// jemalloc's report as JSON: one object with the key `jemalloc`.
    ///
    /// Refreshes the statistics first. Costs about 3 ms with ten arenas, 0.2 ms for ``Contents/totals``. jemalloc
    /// aborts the process when an arena goes in the middle of its report: those of ``Arena`` wait for it, but nothing
    /// holds back others who use the key `arena.<i>.destroy`.
    ///
    /// - Parameter contents: What is in the report besides the totals of the process.
    public static func json(_ contents: Contents = .all) -> String {
        report("J" + contents.omissions)
    }

    /// jemalloc's report as text for people, otherwise as ``json(_:)``.
    public static func text(_ contents: Contents = .all) -> String {
        report(contents.omissions)
    }

    private static func report(_ options: String) -> String {
        var text = ""
        Arena.destruction.withLock { _ in
            unsafe withUnsafeMutablePointer(to: &text) { pointer in
                // jemalloc calls back before it returns, on this thread, with its own locks free: the pointer is valid
                // and the string may grow.
                unsafe cjemalloc_stats_print(
                    { context, piece in
                        guard let context = unsafe context, let piece = unsafe piece else { return }
                        unsafe context.assumingMemoryBound(to: String.self).pointee += String(cString: piece)
                    }, pointer, options)
            }
        }
        return text
    }
}
