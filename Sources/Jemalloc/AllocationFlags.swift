public import CJemalloc

/// How an allocation function is to allocate or free: alignment, zeroing, arena and thread cache.
///
/// Flags are combined with an array literal, `|` or ``union(_:)``:
/// ```swift
/// let flags: AllocationFlags = [.alignment(64), .arena(3), .withoutThreadCache]
/// ```
/// Each of alignment, arena and thread cache has room for one value: combining two different ones is a programming
/// error, which stops a debug build. Making and combining flags costs nothing at run time where the values are constant,
/// and a few instructions where they are not. Layout of the bits: jemalloc.h, `MALLOCX_*`.
@frozen
public struct AllocationFlags: Hashable, Sendable, ExpressibleByArrayLiteral {
    /// The value that jemalloc's functions take as `flags`.
    public let rawValue: Int32

    /// No flag: natural alignment, contents unspecified, the thread's own arena and thread cache.
    @inlinable
    public init() {
        rawValue = 0
    }

    /// Flags from the value that jemalloc's functions take.
    @inlinable
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The combination of all `elements`.
    @inlinable
    public init(arrayLiteral elements: AllocationFlags...) {
        self = elements.reduce(AllocationFlags()) { $0.union($1) }
    }

    /// Addresses that are a multiple of `bytes`.
    ///
    /// - Parameter bytes: A power of two. Anything else stops the program.
    @inlinable
    public static func alignment(_ bytes: Int) -> AllocationFlags {
        guard bytes > 0 && bytes & (bytes - 1) == 0 else { refuse(alignment: bytes) }
        return AllocationFlags(rawValue: cjemalloc_flag_alignment(bytes))
    }

    /// Memory that reads as zero.
    ///
    /// For `rallocx` and `xallocx` this holds for the bytes that growing adds, and only where the block was zeroed
    /// when it was made and at each earlier growth.
    @inlinable
    public static var zeroed: AllocationFlags {
        AllocationFlags(rawValue: cjemalloc_flag_zero())
    }

    /// Memory of one arena.
    ///
    /// The arena must exist. jemalloc 5.3.0 silently makes a new arena at an index that has none, also where that arena
    /// has been destroyed. Without ``threadCache(_:)`` or ``withoutThreadCache`` the calling thread's own cache keeps
    /// freed blocks of this arena, and they must not outlive it.
    ///
    /// - Parameter index: At most 4,094, jemalloc's limit (`MALLOCX_ARENA_LIMIT`, 12 bits). More stops the program.
    @inlinable
    public static func arena(_ index: UInt32) -> AllocationFlags {
        guard index <= 4094 else { refuse(arena: index) }
        return AllocationFlags(rawValue: cjemalloc_flag_arena(index))
    }

    /// Through an explicit thread cache.
    ///
    /// The cache must exist: jemalloc aborts the process where it does not. ``ThreadCache/flags`` says it for a cache
    /// that does.
    ///
    /// - Parameter index: At most 4,093, jemalloc's limit (`MALLOCX_TCACHE_MAX`, 12 bits). More stops the program.
    @inlinable
    public static func threadCache(_ index: UInt32) -> AllocationFlags {
        guard index <= 4093 else { refuse(threadCache: index) }
        return AllocationFlags(rawValue: cjemalloc_flag_tcache(index))
    }

    /// Through no thread cache: from the arena and back to it at once.
    @inlinable
    public static var withoutThreadCache: AllocationFlags {
        AllocationFlags(rawValue: cjemalloc_flag_tcache_none())
    }

    /// These flags and `other`'s.
    @inlinable
    public func union(_ other: AllocationFlags) -> AllocationFlags {
        assert(isCompatible(with: other), "two alignments, two arenas or two thread caches cannot be combined")
        return AllocationFlags(rawValue: rawValue | other.rawValue)
    }

    /// The flags of both sides.
    @inlinable
    public static func | (left: AllocationFlags, right: AllocationFlags) -> AllocationFlags {
        left.union(right)
    }
}

extension AllocationFlags {
    @usableFromInline @inline(never)
    static func refuse(alignment bytes: Int) -> Never {
        stopProgram("an alignment must be a power of two, not \(bytes)")
    }

    @usableFromInline @inline(never)
    static func refuse(arena index: UInt32) -> Never { stopProgram("jemalloc has arenas 0 to 4094, not \(index)") }

    @usableFromInline @inline(never)
    static func refuse(threadCache index: UInt32) -> Never {
        stopProgram("jemalloc has explicit thread caches 0 to 4093, not \(index)")
    }
}

extension AllocationFlags {
    /// The alignment in bytes, or nil where none was asked.
    public var alignment: Int? {
        let exponent = rawValue & 0x3f
        return exponent == 0 ? nil : 1 << Int(exponent)
    }

    /// Whether zeroed memory was asked.
    public var isZeroed: Bool {
        rawValue & cjemalloc_flag_zero() != 0
    }

    /// The arena, or nil where jemalloc chooses.
    public var arenaIndex: UInt32? {
        let field = UInt32(bitPattern: rawValue) >> 20
        return field == 0 ? nil : field - 1
    }

    /// The explicit thread cache, or nil where the thread's own or none is used.
    public var threadCacheIndex: UInt32? {
        let field = UInt32(bitPattern: rawValue) >> 8 & 0xfff
        return field < 2 ? nil : field - 2
    }

    /// Whether thread caches are bypassed.
    public var isWithoutThreadCache: Bool {
        UInt32(bitPattern: rawValue) >> 8 & 0xfff == 1
    }

    /// Whether no field is set to one value here and to another in `other`.
    @inlinable
    public func isCompatible(with other: AllocationFlags) -> Bool {
        func agree(_ mask: UInt32) -> Bool {
            let (left, right) = (UInt32(bitPattern: rawValue) & mask, UInt32(bitPattern: other.rawValue) & mask)
            return left == 0 || right == 0 || left == right
        }
        return agree(0x3f) && agree(0xfff << 8) && agree(0xfff << 20)
    }
}

extension AllocationFlags: CustomStringConvertible {
    /// The flags in words, such as "alignment 64, arena 3, no thread cache".
    public var description: String {
        var parts: [String] = []
        if let alignment { parts.append("alignment \(alignment)") }
        if isZeroed { parts.append("zeroed") }
        if let arenaIndex { parts.append("arena \(arenaIndex)") }
        if let threadCacheIndex { parts.append("thread cache \(threadCacheIndex)") }
        if isWithoutThreadCache { parts.append("no thread cache") }
        return parts.isEmpty ? "no flags" : parts.joined(separator: ", ")
    }
}
