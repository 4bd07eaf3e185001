/// Settings that the configurations of all pools share.
enum PoolLimits {
    /// Checks a `byteLimit`.
    static func validate(byteLimit: Int?) throws(TensorPoolError) {
        guard let byteLimit, byteLimit <= 0 else { return }
        throw .invalidConfiguration(
            setting: "byteLimit", value: "\(byteLimit)", reason: "a limit is at least 1 byte, or nil for none")
    }

    /// Checks an `idleReleaseAfter`.
    static func validate(idleReleaseAfter: Duration?) throws(TensorPoolError) {
        guard let idleReleaseAfter else { return }
        guard idleReleaseAfter >= .milliseconds(1), idleReleaseAfter <= .seconds(365 * 86_400) else {
            throw .invalidConfiguration(
                setting: "idleReleaseAfter", value: "\(idleReleaseAfter)",
                reason: "it is a millisecond to a year, or nil for never; trim() gives everything back at once")
        }
    }
}

extension PoolEngines {
    /// The closest limit that all of these engines are under; nil for none.
    var byteLimit: Int? {
        var account = all.first?.base.account
        while let candidate = account {
            if candidate.limit < .max, all.allSatisfy({ candidate.contains($0.base.account) }) {
                return candidate.limit
            }
            account = candidate.parent
        }
        return nil
    }
}
