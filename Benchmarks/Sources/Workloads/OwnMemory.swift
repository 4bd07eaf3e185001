public import CMeasurement

/// Memory for values of the benchmark's own, present before anything is measured. It is never given back: the process
/// ends with its one measurement.
@inlinable func ownMemory<Value: ~Copyable>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
    let byteCount = count * MemoryLayout<Value>.stride
    return unsafe tpb_own_memory(Int64(byteCount)).bindMemory(to: type, capacity: count)
}
