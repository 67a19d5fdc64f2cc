import Foundation

/// SQL whose interpolated values are bound, never spliced: `"select id from fleets where name = \(name)"` sends
/// `select id from fleets where name = $1` and the value beside it.
///
/// Text enters the SQL only by a literal or by the interpolation labelled `unescaped:`.
package struct PostgresQuery: Sendable, ExpressibleByStringInterpolation {
    /// The most values one statement can bind; the protocol counts them in 16 bits.
    package static let bindingsMax = 65_535

    /// The SQL with its `$n`. It holds no bound value.
    package private(set) var sql: String
    private(set) var bindings: Bindings

    package init(stringLiteral value: String) {
        sql = value
        bindings = Bindings()
    }

    package init(stringInterpolation: StringInterpolation) {
        sql = String(decoding: stringInterpolation.sql, as: UTF8.self)
        bindings = stringInterpolation.bindings
    }

    /// A query of this text and no values. The caller answers for the text.
    package init(unescaped sql: String) {
        self.sql = sql
        bindings = Bindings()
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        /// UTF-8. A statement of twenty values is put together of sixty pieces, for each group of enrollments anew:
        /// octets take a
        /// piece at a fraction of what a string takes it for.
        private(set) var sql: [UInt8] = []
        private(set) var bindings = Bindings()

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + interpolationCount * 3)
            bindings.reserve(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) { append(literal) }

        /// Binds `value` as the next parameter.
        // What enrollments bind: another module's call would not be specialized otherwise.
        @specialized(where Value == [String])
        @specialized(where Value == [String?])
        @specialized(where Value == [[UInt8]])
        @specialized(where Value == [[UInt8]?])
        @specialized(where Value == [Int32])
        @specialized(where Value == [Int64])
        @specialized(where Value == [Int64?])
        @specialized(where Value == [Date])
        @specialized(where Value == [UUID])
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            bindings.append(value)
            appendParameter()
        }

        /// Binds `value`, or NULL of its type, as the next parameter.
        package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            if let value {
                bindings.append(value)
            } else {
                bindings.appendNull(Value.postgresType)
            }
            appendParameter()
        }

        /// Puts `text` into the SQL as it is. Never for anything that came from outside the program.
        package mutating func appendInterpolation(unescaped text: String) { append(text) }

        private mutating func appendParameter() {
            sql.append(UInt8(ascii: "$"))
            if bindings.count < 10 {
                sql.append(UInt8(ascii: "0") + UInt8(bindings.count))
            } else {
                append(String(bindings.count))
            }
        }

        private mutating func append(_ text: String) {
            let isAppended: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { octets in
                unsafe sql.append(contentsOf: octets)
            }
            if isAppended == nil { sql.append(contentsOf: text.utf8) }
        }
    }

    /// The bound values, one behind the other in one buffer.
    struct Bindings: Sendable {
        private(set) var bytes: [UInt8] = []
        private(set) var types: [PostgresType] = []
        /// Where each value lies in `bytes`; NULL has a negative length.
        private(set) var places: [(offset: Int, length: Int)] = []

        var count: Int { types.count }

        mutating func reserve(_ count: Int) {
            bytes.reserveCapacity(count * 24)
            types.reserveCapacity(count)
            places.reserveCapacity(count)
        }

        mutating func append<Value: PostgresEncodable>(_ value: Value) {
            let offset = bytes.count
            value.encode(into: &bytes)
            types.append(Value.postgresType)
            places.append((offset, bytes.count - offset))
        }

        mutating func appendNull(_ type: PostgresType) {
            types.append(type)
            places.append((0, -1))
        }
    }
}

// The values stay out of every description.
extension PostgresQuery: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { sql }
    package var debugDescription: String { sql }
    package var customMirror: Mirror { Mirror(self, children: ["sql": sql, "bindings": bindings.count]) }
}
