/// Why a pool could not do what it was asked. Everything is as it was before the call.
public enum TensorPoolError: Error, Sendable, Hashable {
    /// A size of zero or less.
    case invalidByteCount(Int)
    /// A size that no process has room for.
    case byteCountTooLarge(byteCount: Int, maximum: Int)
    /// An alignment that is not a power of two from 1 to `maximum` bytes.
    case invalidAlignment(Int, maximum: Int)
    /// A device these pools have no memory of.
    case unsupportedDevice(TensorDevice)
    /// A byte limit is reached: of the ``HybridMemoryPool``, of one pool, or of a budget.
    case limitReached(LimitReport)
    /// The system refused the memory.
    case outOfMemory(byteCount: Int)
    /// The handle's tensor was freed, and its block record describes another one by now.
    case staleHandle(tensorID: UInt64)
    /// The handle's tensor was freed already.
    case freedTwice(tensorID: UInt64)
    /// The handle is another pool's.
    case foreignHandle(tensorID: UInt64)
    /// The handle is of another tensor.
    case wrongTensorID(given: UInt64, handle: UInt64)
    /// A setting that contradicts another one or makes no sense.
    case invalidConfiguration(setting: String, value: String, reason: String)
    /// More pools than a process can have at one time.
    case tooManyPools(maximum: Int)
    /// The system refused to make pages of weights read-only, with its error number.
    case protectionRefused(byteCount: Int, code: Int32)
    /// The system refused to lock weights in memory. The limit is that of a process without privileges, nil for none.
    case memoryLockRefused(byteCount: Int, limit: Int?)
    /// The system lacks what the pools are built on.
    case unsupportedSystem(String)
}

extension TensorPoolError: CustomStringConvertible {
    /// What happened, the values involved, and what to do.
    public var description: String {
        switch self {
        case .invalidByteCount(let byteCount):
            "a tensor of \(byteCount) bytes cannot be allocated: ask for at least 1 byte"
        case .byteCountTooLarge(let byteCount, let maximum):
            "a tensor of \(byteCount) bytes is larger than any process has room for (\(maximum) bytes): check the shape"
        case .invalidAlignment(let alignment, let maximum):
            "an alignment of \(alignment) bytes is not a power of two from 1 to \(maximum): choose one that is"
        case .unsupportedDevice(let device):
            "the pool has memory of the CPU only, not of \(device): pass .cpu, or allocate with the device's own library"
        case .limitReached(let report):
            """
            \(report.requested) bytes need \(report.needed) more of the \(report.scope)'s limit, and \(report.reserved) of \
            \(report.limit) are taken (live \(report.live), cached \(report.cached)): \(report.advice)
            """
        case .outOfMemory(let byteCount):
            "the system refused memory for a tensor of \(byteCount) bytes: free tensors, trim() pools, or raise the process's limit"
        case .staleHandle(let id):
            "the handle of tensor \(id) is stale: the tensor was freed and its memory may be another's; drop the handle"
        case .freedTwice(let id):
            "tensor \(id) was freed already: free each handle once"
        case .foreignHandle(let id):
            "the handle of tensor \(id) is another pool's, or of one that is gone with all its tensors: free it in the pool that allocated it, or in their base"
        case .wrongTensorID(let given, let handle):
            "the handle is of tensor \(handle), not of \(given): pass the id the tensor was allocated with"
        case .invalidConfiguration(let setting, let value, let reason):
            "\(setting) = \(value) cannot be: \(reason)"
        case .tooManyPools(let maximum):
            "there are \(maximum) pools already: drop some, or share one pool between their users"
        case .protectionRefused(let byteCount, let code):
            "the system refused to make \(byteCount) bytes of weights read-only (error \(code)): there may be too many mappings, see vm.max_map_count"
        case .memoryLockRefused(let byteCount, let limit):
            """
            the system refused to lock \(byteCount) bytes of weights in memory\(limit.map { " (RLIMIT_MEMLOCK is \($0) bytes)" } ?? ""): \
            raise the limit (ulimit -l, LimitMEMLOCK), or free memory
            """
        case .unsupportedSystem(let what):
            "this system lacks \(what), which the pools are built on"
        }
    }
}
