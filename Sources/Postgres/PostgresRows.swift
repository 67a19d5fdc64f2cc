import Foundation

/// The rows that one statement gave. They stay in libpq's memory and are decoded when they are read.
package struct PostgresRows: RandomAccessCollection, Sendable {
    private let result: LibpqResult

    init(_ result: LibpqResult) { self.result = result }

    package var startIndex: Int { 0 }
    package var endIndex: Int { result.rowCount }

    package subscript(position: Int) -> PostgresRow {
        precondition(indices.contains(position), "row out of range")
        return PostgresRow(result, position)
    }

    /// How many rows the statement inserted, updated, deleted or selected.
    package var affectedRows: Int { result.affectedRows }

    /// The tag of the command as the server gave it, such as `INSERT 0 3`.
    package var commandTag: String { result.commandTag }
}

/// One row of a result.
package struct PostgresRow: Sendable {
    private let result: LibpqResult
    private let row: Int

    init(_ result: LibpqResult, _ row: Int) {
        self.result = result
        self.row = row
    }

    /// How many columns the row has.
    package var columnCount: Int { result.columns.count }

    /// A cursor that reads the columns from left to right.
    package var columns: PostgresColumns { PostgresColumns(self) }

    /// Reads a column that must not be NULL.
    @specialized(where Value == String)
    @specialized(where Value == [UInt8])
    @specialized(where Value == Bool)
    @specialized(where Value == Int32)
    @specialized(where Value == Int64)
    @specialized(where Value == Date)
    package func decode<Value: PostgresDecodable>(
        at index: Int = 0,
        as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let value = try decodeIfPresent(at: index, as: type) else {
            throw .decoding(column: result.columns[index].name, reason: "it is NULL, which \(type) is not")
        }
        return value
    }

    /// Reads a column that may be NULL.
    @specialized(where Value == String)
    @specialized(where Value == [UInt8])
    @specialized(where Value == Int64)
    @specialized(where Value == Date)
    package func decode<Value: PostgresDecodable>(
        at index: Int = 0,
        as type: Value?.Type = Value?.self
    ) throws(PostgresError) -> Value? {
        try decodeIfPresent(at: index, as: Value.self)
    }

    private func decodeIfPresent<Value: PostgresDecodable>(
        at index: Int,
        as type: Value.Type
    ) throws(PostgresError) -> Value? {
        guard index >= 0, index < result.columns.count else {
            throw .decoding(column: "\(index)", reason: "the row has \(result.columns.count) columns")
        }
        let column = result.columns[index]
        guard Value.accepts(column.type) else {
            throw .decoding(column: column.name, reason: "type \(column.type.rawValue) cannot be read as \(type)")
        }
        var value: Value?
        let isPresent = result.readValue(row: row, column: index) { bytes in
            value = Value(postgresBytes: bytes, type: column.type)
        }
        if isPresent, value == nil {
            throw .decoding(column: column.name, reason: "its bytes are no \(type)")
        }
        return value
    }
}

/// Reads a row's columns one after the other: `var columns = row.columns; let id = try columns.next(Int64.self)`.
package struct PostgresColumns {
    private let row: PostgresRow
    private var index = 0

    init(_ row: PostgresRow) { self.row = row }

    /// The next column, which must not be NULL.
    package mutating func next<Value: PostgresDecodable>(
        _ type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        defer { index += 1 }
        return try row.decode(at: index, as: type)
    }

    /// The next column, which may be NULL.
    package mutating func next<Value: PostgresDecodable>(
        _ type: Value?.Type = Value?.self
    ) throws(PostgresError) -> Value? {
        defer { index += 1 }
        return try row.decode(at: index, as: type)
    }
}
