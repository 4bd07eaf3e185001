/// The time field of an RMM log, in either form that RMM has written.
enum RMMTime: Equatable {
    /// `HH:MM:SS.ffffff`, with up to nine digits behind the point: the time of the day, in nanoseconds.
    case timeOfDay(Int64)
    /// Microseconds from an unnamed moment, whole or with a fraction: in nanoseconds.
    case elapsed(Int64)

    static let nanosecondsPerDay: Int64 = 86_400_000_000_000

    init?(parsing field: Span<UInt8>) {
        if field.count > 8, field[2] == UInt8(ascii: ":") {
            guard let time = Self.timeOfDay(field) else { return nil }
            self = .timeOfDay(time)
        } else if let time = DecimalNumber(parsing: field)?.value(scaledByPowerOfTen: 3) {
            self = .elapsed(time)
        } else {
            return nil
        }
    }

    private static func timeOfDay(_ field: Span<UInt8>) -> Int64? {
        guard field[5] == UInt8(ascii: ":"),
            let hours = UInt64(decimal: field.extracting(0..<2)), hours < 24,
            let minutes = UInt64(decimal: field.extracting(3..<5)), minutes < 60,
            // 60 is a leap second.
            let seconds = UInt64(decimal: field.extracting(6..<8)), seconds <= 60,
            field[8] == UInt8(ascii: ".") || field[8] == UInt8(ascii: ":"),
            field.count <= 18, let fraction = UInt64(decimal: field.extracting(9...))
        else { return nil }
        var nanoseconds = fraction
        for _ in field.count..<18 { nanoseconds *= 10 }
        return Int64((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000 + Int64(nanoseconds)
    }
}

/// Puts times of day on one line across midnight.
struct RMMClock {
    /// More do not fit into nanoseconds. A longer log's times count as clock steps.
    private static let maximumDays: Int64 = 100_000

    private var lastTimeOfDay: Int64 = 0
    private var days: Int64 = 0
    private(set) var countsFromStart = false

    /// Nil for a time that is in neither form.
    mutating func nanoseconds(of time: RMMTime?) -> Int64? {
        switch time {
        case .timeOfDay(let time):
            // More than half a day back is midnight; less is a clock that was set back.
            if lastTimeOfDay - time > RMMTime.nanosecondsPerDay / 2 { days = min(days + 1, Self.maximumDays) }
            lastTimeOfDay = time
            return days * RMMTime.nanosecondsPerDay + time
        case .elapsed(let time):
            countsFromStart = true
            return time
        case nil: return nil
        }
    }
}
