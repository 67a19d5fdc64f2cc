import Postgres
import Testing

@Suite struct `The migrator` {
    private let first = Migration(number: 1, name: "devices", sql: "create table devices (id int8); select 1;")
    private let second = Migration(
        number: 2,
        name: "names",
        sql: "alter table devices add column name text; create index on devices (name);"
    )
    private let broken = Migration(number: 3, name: "broken", sql: "create table half (id int8); select 1 / 0;")

    /// A connection whose tables are its own.
    private func connect(schema: String) async throws -> PostgresConnection {
        let connection = try await ThrowawayCluster.shared().connect()
        try await connection.run(script: "create schema if not exists \(schema); set search_path = \(schema)")
        return connection
    }

    @Test func `brings an empty database up, and then has nothing to do`() async throws {
        let connection = try await connect(schema: "migrator_empty")
        let migrator = Migrator([second, first])
        #expect(try await migrator.status(on: connection) == .empty)
        #expect("\(SchemaStatus.empty)".contains("run: muster db migrate"))
        #expect(try await migrator.migrate(on: connection) == [first, second])
        #expect(try await migrator.status(on: connection) == .current)
        #expect(try await migrator.migrate(on: connection) == [])
        try await connection.query("insert into devices (id, name) values (\(1), \("a"))")
    }

    @Test func `tells behind, ahead and altered apart`() async throws {
        let connection = try await connect(schema: "migrator_status")
        try await Migrator([first]).migrate(on: connection)
        #expect(try await Migrator([first, second]).status(on: connection) == .behind(pending: [2]))
        #expect("\(SchemaStatus.behind(pending: [2]))".contains("run: muster db migrate"))
        try await Migrator([first, second]).migrate(on: connection)

        let ahead = try await Migrator([first]).status(on: connection)
        #expect(ahead == .ahead(found: 2))
        #expect("\(ahead)".contains("upgrade muster"))
        await #expect(throws: MigratorError.self) { try await Migrator([first]).migrate(on: connection) }

        var changed = first
        changed.sql += " -- changed afterwards"
        #expect(
            try await Migrator([changed, second]).status(on: connection) == .altered(number: 1, name: "devices")
        )
        await #expect(throws: MigratorError.self) { try await Migrator([changed, second]).migrate(on: connection) }
    }

    @Test func `rolls a broken migration back whole and keeps those before it`() async throws {
        let connection = try await connect(schema: "migrator_broken")
        let migrator = Migrator([first, second, broken])
        let error = await #expect(throws: MigratorError.self) { try await migrator.migrate(on: connection) }
        #expect("\(try #require(error))".contains("migration 3 (broken) failed"))
        #expect(try await migrator.status(on: connection) == .behind(pending: [3]))
        let rows = try await connection.query("select to_regclass('half') is null")
        #expect(try rows[0].decode(as: Bool.self))
    }

    @Test func `refuses a migration that ends its own transaction`() async throws {
        let connection = try await connect(schema: "migrator_commit")
        let migrator = Migrator([Migration(number: 1, name: "commits", sql: "create table c (); commit;")])
        let error = await #expect(throws: MigratorError.self) { try await migrator.migrate(on: connection) }
        #expect("\(try #require(error))".contains("ended its own transaction"))
    }

    @Test func `lets two migrators at once apply each migration once`() async throws {
        let migrations =
            [first, second]
            + (3..<20).map { number in
                Migration(number: Int32(number), name: "table \(number)", sql: "create table t\(number) (id int8)")
            }
        let connections = [
            try await connect(schema: "migrator_race"), try await connect(schema: "migrator_race"),
            try await connect(schema: "migrator_race"),
        ]
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for connection in connections {
                group.addTask { try await Migrator(migrations).migrate(on: connection).count }
            }
            return try await group.reduce(0, +)
        }
        #expect(applied == migrations.count)
        #expect(try await Migrator(migrations).status(on: connections[0]) == .current)
    }
}
