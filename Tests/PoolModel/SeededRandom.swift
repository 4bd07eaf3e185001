import Foundation

/// A generator whose sequence follows from its seed alone (SplitMix64; Steele, Lea, Flood 2014).
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(_ seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// A number from 0 up to `bound`, that excluded.
    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// The seed of a test's run: what TENSOR_POOL_SEED says, or one drawn now. Printed, so that a failure can be
    /// repeated.
    package static func runSeed(_ test: String) -> UInt64 {
        let given = ProcessInfo.processInfo.environment["TENSOR_POOL_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0..<1 << 32)
        print("\(test): TENSOR_POOL_SEED=\(seed)")
        return seed
    }
}
