package import Foundation

/// A moment as `timestamptz` keeps it: whole microseconds, so that what is written is what is read back.
package struct PostgresTimestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01 00:00 UTC.
    package var microsecondsSince1970: Int64

    package init(microsecondsSince1970: Int64) { self.microsecondsSince1970 = microsecondsSince1970 }

    /// The microsecond nearest to `date`. A date further than PostgreSQL's own range is held at its edge.
    package init(_ date: Date) {
        let microseconds = (date.timeIntervalSince1970 * 1_000_000).rounded()
        let bound = Double(Self.microsecondsMax)
        microsecondsSince1970 = Int64(min(max(microseconds, -bound), bound))
    }

    /// The same moment as a `Date`, near enough that `PostgresTimestamp(date)` gives this value again for some
    /// centuries around now.
    package var date: Date { Date(timeIntervalSince1970: Double(microsecondsSince1970) / 1_000_000) }

    package static func < (left: Self, right: Self) -> Bool {
        left.microsecondsSince1970 < right.microsecondsSince1970
    }

    /// On the wire PostgreSQL counts from 2000-01-01.
    static let epochOffset: Int64 = 946_684_800_000_000
    /// A bound well inside Int64 after the change of epoch; a quarter of a million years.
    static let microsecondsMax: Int64 = 8_000_000_000_000_000_000
}

extension PostgresTimestamp: PostgresScalar {
    package static var postgresType: PostgresType { .timestamptz }
    package static var postgresArrayType: PostgresType { .timestamptzArray }

    package func encode(into bytes: inout [UInt8]) {
        let held = min(max(microsecondsSince1970, -Self.microsecondsMax), Self.microsecondsMax)
        bytes.appendBigEndian(held - Self.epochOffset)
    }

    package static func accepts(_ type: PostgresType) -> Bool { type == .timestamptz }

    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) {
        guard let value = Int64(bigEndian: bytes) else { return nil }
        // The two ends of the range are `infinity` and `-infinity`, which are no moments.
        guard value != .max, value != .min else { return nil }
        let (sum, overflow) = value.addingReportingOverflow(Self.epochOffset)
        guard !overflow else { return nil }
        microsecondsSince1970 = sum
    }
}

extension Date: PostgresScalar {
    package static var postgresType: PostgresType { .timestamptz }
    package static var postgresArrayType: PostgresType { .timestamptzArray }

    package func encode(into bytes: inout [UInt8]) { PostgresTimestamp(self).encode(into: &bytes) }

    package static func accepts(_ type: PostgresType) -> Bool { type == .timestamptz }

    package init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType) {
        guard let timestamp = PostgresTimestamp(postgresBytes: bytes, type: type) else { return nil }
        self = timestamp.date
    }
}
