/// Where each allocation of a repeating sequence lies in one slab: what a ``StaticPlan`` executes.
///
/// `tensor-pool plan TRACE -o plan.json` writes one; decode it with `JSONDecoder` or any other decoder. In JSON:
/// `{"alignment": 64, "byteCount": 8192, "allocations": [[0, 4096], [4096, 1000]]}`, each allocation as its offset and
/// its size in bytes, in the order in which they are asked for.
public struct StaticPlanLayout: Sendable, Equatable {
    /// One allocation of the sequence.
    public struct Allocation: Sendable, Equatable {
        /// Bytes from the start of the slab, a multiple of the alignment.
        public let offset: Int
        /// Bytes that are asked for.
        public let byteCount: Int

        /// An allocation as it is; a layout checks it.
        public init(offset: Int, byteCount: Int) {
            self.offset = offset
            self.byteCount = byteCount
        }
    }

    /// The most allocations that a layout may have: 65,536.
    public static let maximumAllocations = 1 << 16

    /// In the order in which they are asked for.
    public let allocations: [Allocation]
    /// Bytes of the slab.
    public let byteCount: Int
    /// What the slab's address and all offsets are multiples of, in bytes: a power of two from 64 to 2 MiB.
    public let alignment: Int

    /// A layout of these allocations.
    ///
    /// Whether allocations that live together share bytes is not looked at: when they live is not known here. A
    /// ``StaticPlan`` never hands out bytes that are taken, whatever the layout says.
    ///
    /// - Throws: ``TensorPoolError/invalidConfiguration(setting:value:reason:)`` that names what cannot be.
    public init(allocations: [Allocation], byteCount: Int, alignment: Int = 64) throws(TensorPoolError) {
        guard (64...2 << 20).contains(alignment), alignment & (alignment - 1) == 0 else {
            throw .invalidConfiguration(
                setting: "alignment", value: "\(alignment)", reason: "it is a power of two from 64 to 2097152")
        }
        guard (1...Self.maximumAllocations).contains(allocations.count) else {
            throw .invalidConfiguration(
                setting: "allocations", value: "\(allocations.count) of them",
                reason: "a plan has 1 to \(Self.maximumAllocations): plan one step of the workload")
        }
        guard byteCount > 0 else {
            throw .invalidConfiguration(
                setting: "byteCount", value: "\(byteCount)", reason: "a slab has at least 1 byte")
        }
        for (index, allocation) in allocations.enumerated() {
            guard allocation.byteCount > 0, allocation.byteCount <= byteCount,
                allocation.offset >= 0, allocation.offset <= byteCount - allocation.byteCount,
                allocation.offset % alignment == 0
            else {
                throw .invalidConfiguration(
                    setting: "allocations[\(index)]", value: "[\(allocation.offset), \(allocation.byteCount)]",
                    reason: "offset, a multiple of \(alignment), and size must lie within \(byteCount) bytes")
            }
        }
        self.allocations = allocations
        self.byteCount = byteCount
        self.alignment = alignment
    }
}

extension StaticPlanLayout.Allocation: Codable {
    /// Reads `[offset, byteCount]`.
    public init(from decoder: any Decoder) throws {
        var container = try decoder.unkeyedContainer()
        offset = try container.decode(Int.self)
        byteCount = try container.decode(Int.self)
    }

    /// Writes `[offset, byteCount]`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(offset)
        try container.encode(byteCount)
    }
}

extension StaticPlanLayout: Codable {
    private enum CodingKeys: String, CodingKey {
        case allocations
        case byteCount
        case alignment
    }

    /// Reads a layout and checks it; throws the decoder's errors, or ``TensorPoolError``.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            allocations: container.decode([Allocation].self, forKey: .allocations),
            byteCount: container.decode(Int.self, forKey: .byteCount),
            alignment: container.decode(Int.self, forKey: .alignment))
    }
}
