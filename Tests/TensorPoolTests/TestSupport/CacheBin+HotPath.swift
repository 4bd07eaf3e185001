@testable import TensorPool

/// What the hot path does with a pointer, for tests that have a bin.
extension CacheBin {
    mutating func popNewest() -> UnsafeMutableRawPointer? {
        unsafe withUnsafeMutablePointer(to: &self) { unsafe $0.popNewest() }
    }

    mutating func pushNewest(_ address: UnsafeMutableRawPointer) -> Bool {
        unsafe withUnsafeMutablePointer(to: &self) { unsafe $0.pushNewest(address) }
    }
}
