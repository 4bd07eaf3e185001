import Testing

/// All suites that make pools, one test at a time: numbers of engines, resident memory and threads belong to the
/// process.
@Suite(.serialized)
struct PoolTests {}
