import Foundation

/// Minutes, as limits by the hour are counted in.
enum BootstrapMinute {
    static let seconds: Double = 60
    private static let hour: Double = 3_600

    /// The minute that `date` is in.
    static func of(_ date: Date) -> Date {
        Date(timeIntervalSince1970: (date.timeIntervalSince1970 / seconds).rounded(.down) * seconds)
    }

    /// The first minute of the 60 whole ones before the one that `date` is in.
    static func hourBegan(at date: Date) -> Date { of(date).addingTimeInterval(-hour) }
}
