/// Where a tensor's memory lives.
///
/// These pools hold the CPU's memory. Another device is named so that asking for it is an error and not, as in the
/// guide's original, silently the CPU's memory.
@frozen public enum TensorDevice: Sendable, Hashable {
    /// The host's memory.
    case cpu
    /// A graphics processor by its number, from 0.
    case gpu(Int)
}

extension TensorDevice: CustomStringConvertible {
    /// The device as frameworks write it: `cpu`, `gpu:0`.
    public var description: String {
        switch self {
        case .cpu: "cpu"
        case .gpu(let number): "gpu:\(number)"
        }
    }
}

/// What a tensor is used for.
@frozen public enum TensorRole: UInt8, Sendable, Hashable, CaseIterable {
    /// Neither a weight nor known to be short-lived.
    case activation
    /// Short-lived: freed within the step that allocated it.
    case temporary
    /// A model weight: long-lived, kept in an arena of its own.
    case weight
}

/// What a caller says of a tensor when it asks for memory.
@frozen public struct TensorTraits: Sendable, Hashable {
    /// Where the memory must live.
    public var device: TensorDevice
    /// What the tensor is used for.
    public var role: TensorRole

    /// Traits of a tensor on `device` used as `role`.
    @inlinable public init(device: TensorDevice = .cpu, role: TensorRole = .activation) {
        self.device = device
        self.role = role
    }

    /// Traits from the guide's two flags. A weight that is also temporary counts as a weight.
    @inlinable public init(device: TensorDevice, isModelWeight: Bool, isTemporary: Bool) {
        self.device = device
        self.role = isModelWeight ? .weight : isTemporary ? .temporary : .activation
    }

    /// Whether such a tensor may come from a thread's cache.
    @inlinable @inline(__always) var isCacheable: Bool { role != .weight && device == .cpu }
}
