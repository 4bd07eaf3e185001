/// What a handle is known by: its record and the generation it was made in.
struct HandleKey: Hashable {
    private let record: UInt
    private let generation: UInt64

    init(_ handle: MemoryHandle) {
        unsafe record = UInt(bitPattern: handle.record)
        generation = handle.state & ~RecordStatus.mask
    }

    init(_ tensor: ReturnedTensor) {
        unsafe record = UInt(bitPattern: tensor.record)
        generation = tensor.claimedState & ~RecordStatus.mask
    }
}

/// The tensors that were freed last by their handles.
struct FreeHistory {
    static let capacity = 4096

    private var tensors: [HandleKey: GuardedTensor] = [:]
    private var keys: [HandleKey] = []
    private var next = 0

    mutating func add(_ key: HandleKey, _ tensor: GuardedTensor) {
        if keys.count < Self.capacity {
            keys.append(key)
        } else {
            tensors[keys[next]] = nil
            keys[next] = key
            next = (next + 1) % Self.capacity
        }
        tensors[key] = tensor
    }

    subscript(key: HandleKey) -> GuardedTensor? { tensors[key] }
}
