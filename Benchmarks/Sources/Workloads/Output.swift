import CMeasurement

/// Writes out what was printed: Swift and C may keep it apart.
public func flushOutput() {
    tpb_flush()
}

/// Ends the process: no measurement goes on without memory.
@inline(never) public func measurementFailed(_ reason: String) -> Never {
    // The call keeps the string's bytes alive, and never returns.
    unsafe tpb_fail(reason)
}
