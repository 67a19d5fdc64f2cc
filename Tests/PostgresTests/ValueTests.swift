import Foundation
import Postgres
import Testing

@Suite struct `Values and queries` {
    private func connect() async throws -> PostgresConnection {
        let cluster = try await ThrowawayCluster.shared()
        return try await PostgresConnection.connect(
            PostgresConfiguration(connectionString: cluster.socketConnectionString)
        )
    }

    private func roundTrip<Value: PostgresEncodable & PostgresDecodable & Equatable>(
        _ value: Value,
        on connection: PostgresConnection
    ) async throws {
        let rows = try await connection.query("select \(value), \(Value?.none)")
        #expect(try rows[0].decode(at: 0, as: Value.self) == value)
        #expect(try rows[0].decode(at: 1, as: Value?.self) == nil)
    }

    @Test func `every type comes back as it was bound`() async throws {
        let connection = try await connect()
        for value in [true, false] { try await roundTrip(value, on: connection) }
        for value in [Int16.min, -1, 0, .max] { try await roundTrip(value, on: connection) }
        for value in [Int32.min, -1, 0, .max] { try await roundTrip(value, on: connection) }
        for value in [Int64.min, -1, 0, .max] { try await roundTrip(value, on: connection) }
        for value in [Int.min, -1, 0, .max] { try await roundTrip(value, on: connection) }
        for value in [-1.5, 0, .infinity, .pi] { try await roundTrip(value, on: connection) }
        for value in ["", "a", "Ünïcødé 🔑", "'; drop table x; --"] { try await roundTrip(value, on: connection) }
        for value in [[], [0], [UInt8](0...255)] as [[UInt8]] { try await roundTrip(value, on: connection) }
        try await roundTrip(UUID(), on: connection)
        for value in [Int64(0), -1, 1_800_000_000_123_456, -62_000_000_000_000_001] {
            try await roundTrip(PostgresTimestamp(microsecondsSince1970: value), on: connection)
        }
        try await roundTrip(PostgresJSON(text: #"{"a": [1, null]}"#), on: connection)
    }

    @Test func `arrays come back with their NULLs`() async throws {
        let connection = try await connect()
        try await roundTrip([Int64](), on: connection)
        try await roundTrip([1, 2, Int64.max], on: connection)
        try await roundTrip([1, nil, 3] as [Int64?], on: connection)
        try await roundTrip([1, 2] as [Int32], on: connection)
        try await roundTrip(["", "a", "ü"], on: connection)
        try await roundTrip(["a", nil], on: connection)
        try await roundTrip([[], [1, 2, 3]] as [[UInt8]], on: connection)
        try await roundTrip([[1], nil] as [[UInt8]?], on: connection)
        try await roundTrip([true, false], on: connection)
        try await roundTrip([UUID(), UUID()], on: connection)
        try await roundTrip([PostgresTimestamp(microsecondsSince1970: 1)], on: connection)
        try await roundTrip([PostgresTimestamp(microsecondsSince1970: 1), nil], on: connection)
        try await roundTrip([PostgresJSON(text: "[1]")], on: connection)
    }

    @Test func `the server understands the values as the types they claim`() async throws {
        let connection = try await connect()
        let moment = PostgresTimestamp(microsecondsSince1970: 1_700_000_000_000_001)
        let row = try await connection.query(
            """
            select to_char(\(moment) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), encode(\([1, 255] as [UInt8]), 'hex'),
                   \(PostgresJSON(text: #"{"a":7}"#)) ->> 'a', (select sum(n) from unnest(\([1, 2, 3] as [Int])) n)::int8,
                   count(*) from unnest(\([1, 2] as [Int64]), \(["x", nil])) as t(a, b) where b is null
            """
        )[0]
        var columns = row.columns
        #expect(try columns.next(String.self) == "2023-11-14 22:13:20.000001")
        #expect(try columns.next(String.self) == "01ff")
        #expect(try columns.next(String.self) == "7")
        #expect(try columns.next(Int64.self) == 6)
        #expect(try columns.next(Int.self) == 1)
        #expect(throws: PostgresError.self) { try columns.next(Int.self) }
    }

    @Test func `an injection attempt is data`() async throws {
        let connection = try await connect()
        let name = "x'; drop table pg_class; select '"
        let query: PostgresQuery = "select \(name)::text where \(name) = \(name)"
        #expect(query.sql == "select $1::text where $2 = $3")
        #expect(try await connection.query(query)[0].decode(as: String.self) == name)
        #expect(!"\(query)".contains("drop"))
        #expect(!String(reflecting: query).contains("drop"))
        var dumped = ""
        dump(query, to: &dumped)
        #expect(!dumped.contains("drop"))
    }

    @Test func `values are numbered beyond nine, between text of any script`() async throws {
        let connection = try await connect()
        let query: PostgresQuery = """
            select array[\(1), \(2), \(3), \(4), \(5), \(6), \(7), \(8), \(9), \(10), \(11)], 'grüße ' || \("世界"),
                   \(unescaped: "'naïve'")
            """
        #expect(query.sql.hasSuffix("$9, $10, $11], 'grüße ' || $12,\n       'naïve'"))
        let row = try await connection.query(query)[0]
        #expect(try row.decode(at: 0, as: [Int].self) == Array(1...11))
        #expect(try row.decode(at: 1, as: String.self) == "grüße 世界")
        #expect(try row.decode(at: 2, as: String.self) == "naïve")
    }

    @Test func `a wrong type and an unexpected NULL name their column`() async throws {
        let connection = try await connect()
        let row = try await connection.query("select 1::int8 as serial, null::text as reason")[0]
        let wrong = #expect(throws: PostgresError.self) { try row.decode(at: 0, as: String.self) }
        #expect("\(try #require(wrong))".contains("serial"))
        let null = #expect(throws: PostgresError.self) { try row.decode(at: 1, as: String.self) }
        #expect("\(try #require(null))".contains("reason"))
        #expect(try row.decode(at: 0, as: Int.self) == 1)
    }

    @Test func `more statements than the cache holds still run, also again`() async throws {
        let cluster = try await ThrowawayCluster.shared()
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(connectionString: cluster.socketConnectionString, preparedStatementsMax: 4)
        )
        for round in 0..<3 {
            for number in 0..<10 {
                let rows = try await connection.query("select \(number) + \(unescaped: "\(number)")")
                #expect(try rows[0].decode(as: Int.self) == number * 2, "round \(round)")
            }
        }
        let held = try await connection.query("select count(*) from pg_prepared_statements")
        #expect(try held[0].decode(as: Int.self) <= 5)
    }

    @Test func `a statement whose result the schema changed is prepared anew`() async throws {
        let connection = try await connect()
        try await connection.run(script: "create temporary table shape (a int8); insert into shape values (1)")
        #expect(try await connection.query("select * from shape")[0].columnCount == 1)
        try await connection.run(script: "alter table shape add column b text")
        #expect(try await connection.query("select * from shape")[0].columnCount == 2)
        try await connection.run(script: "deallocate all")
        #expect(try await connection.query("select * from shape")[0].columnCount == 2)
    }

    @Test func `large values pass both ways`() async throws {
        let connection = try await connect()
        let bytes = [UInt8](repeating: 7, count: 20 << 20)
        let rows = try await connection.query("select \(bytes)")
        #expect(try rows[0].decode(as: [UInt8].self) == bytes)
    }
}
