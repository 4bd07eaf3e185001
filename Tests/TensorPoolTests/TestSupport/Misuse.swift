import CDebugging

extension UnsafeMutableRawPointer {
    /// Writes where a program must not, past a checker that the tests may run under: the pool has to find it.
    func misuse(writing value: UInt8, at offset: Int) {
        unsafe tensorpool_allow_bytes(self + offset, 1)
        unsafe (self + offset).storeBytes(of: value, as: UInt8.self)
    }
}
