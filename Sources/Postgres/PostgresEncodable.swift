/// A value that can be bound to `$n` in a query, in PostgreSQL's binary form.
package protocol PostgresEncodable: Sendable {
    /// The type that the prepared statement declares for the parameter.
    static var postgresType: PostgresType { get }

    /// Appends the value's binary form, without a length.
    func encode(into bytes: inout [UInt8])
}

/// What an array of such elements is bound as. `UInt8` is one (its array is `bytea`), scalars and optional scalars are.
package protocol PostgresArrayElement: Sendable {
    static var postgresArrayType: PostgresType { get }

    static func encode(array: [Self], into bytes: inout [UInt8])
}

/// A value that is read from a column's binary form.
package protocol PostgresDecodable: Sendable {
    /// True if a column of this type can be read as `Self`.
    static func accepts(_ type: PostgresType) -> Bool

    /// Reads the value; nil if the bytes are not one.
    /// - Parameter type: The column's type, one that `accepts` said yes to.
    init?(postgresBytes bytes: borrowing Span<UInt8>, type: PostgresType)
}

/// What an array column's elements are read as.
package protocol PostgresArrayDecodable: Sendable {
    static func acceptsArray(_ type: PostgresType) -> Bool

    static func decodeArray(_ bytes: borrowing Span<UInt8>, type: PostgresType) -> [Self]?
}

/// A single value that is bound, read, and put into arrays.
package protocol PostgresScalar: PostgresEncodable, PostgresDecodable, PostgresArrayElement, PostgresArrayDecodable {}

extension [UInt8] {
    @inline(__always)
    mutating func appendBigEndian<Integer: FixedWidthInteger>(_ value: Integer) {
        var shift = Integer.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: value >> Integer(shift)))
        }
    }

    /// Writes `value` over four bytes that were appended before, at `offset`.
    mutating func overwriteBigEndian(_ value: Int32, at offset: Int) {
        for index in 0..<4 {
            self[offset + index] = UInt8(truncatingIfNeeded: value >> Int32(24 - 8 * index))
        }
    }
}

extension FixedWidthInteger {
    /// The integer that `bytes` hold, most significant first; nil unless they are exactly as long as it.
    init?(bigEndian bytes: borrowing Span<UInt8>) {
        guard bytes.count == Self.bitWidth / 8 else { return nil }
        var value: Self = 0
        for index in 0..<bytes.count {
            value = (value << 8) | Self(truncatingIfNeeded: bytes[index])
        }
        self = value
    }
}
