import Foundation

/// The two functions of the system's library that the figures need.
enum Logarithm {
    static func natural(_ value: Double) -> Double { log(value) }
    static func exponential(_ value: Double) -> Double { exp(value) }
}
