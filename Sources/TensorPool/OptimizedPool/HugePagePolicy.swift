/// Whether slabs ask the kernel for huge pages.
public enum HugePagePolicy: String, Sendable, Hashable, CaseIterable, Codable {
    /// Slabs are advised as huge where the kernel has transparent huge pages in mode `madvise` or `always`, 32 MiB at a
    /// time, as long as it hands them out faster than as many bytes of small pages.
    case automatic
    /// Slabs are left as the system makes them.
    case never
}
