import CJemalloc

/// A version of jemalloc, such as `5.3.0-0-g54eaed1d…`.
public struct Version: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The major version: 5 of 5.3.0.
    public let major: Int
    /// The minor version: 3 of 5.3.0.
    public let minor: Int
    /// The patch version: 0 of 5.3.0.
    public let patch: Int
    /// How many commits after the release it was built from.
    public let revision: Int
    /// The version as jemalloc gives it, which ends in the commit.
    public let description: String

    /// Reads a version as jemalloc gives it, or nil where `text` is none.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 2, omittingEmptySubsequences: false)
        let numbers = (parts.first ?? "").split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2] else {
            return nil
        }
        (self.major, self.minor, self.patch) = (major, minor, patch)
        revision = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        description = text
    }

    /// The version of the library that the process runs with.
    ///
    /// - Throws: ``JemallocError`` with `EINVAL` where jemalloc gives something that is not a version.
    public static var linked: Version {
        get throws(JemallocError) {
            let key = try versionKey.get()
            guard let version = Version(try key.read()) else {
                throw JemallocError(key: key.name, operation: .read, errno: EINVAL)
            }
            return version
        }
    }

    /// The version of the header that this package was compiled against, or nil where it is not one.
    public static var header: Version? {
        Version(JEMALLOC_VERSION)
    }

    /// Whether `left` is the earlier one. Only the numbers count.
    public static func < (left: Version, right: Version) -> Bool {
        (left.major, left.minor, left.patch, left.revision) < (right.major, right.minor, right.patch, right.revision)
    }

    private static let versionKey = ControlKey<String>.resolve("version")
}
