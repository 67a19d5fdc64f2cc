package import Enrollment
package import Postgres
import Schema

/// Keeps a server from a schema that it was not made for.
package enum SchemaGuard {
    /// The migrations compiled into this program.
    package static var migrator: Migrator {
        Migrator(Schema.steps.map { Migration(number: $0.number, name: $0.name, sql: $0.sql) })
    }

    /// Where the database stands.
    package static func status(_ pool: PostgresPool) async throws(RecordError) -> SchemaStatus {
        try await recording { try await pool.withConnection { try await migrator.status(on: $0) } }
    }

    /// Makes the coming months' partitions of the attempts.
    /// - Returns: How many were made.
    package static func makeAttemptPartitions(_ pool: PostgresPool) async throws(RecordError) -> Int {
        try await recording {
            let rows = try await pool.query("select create_attempt_partitions(3)")
            return try rows.first.map { Int(try $0.decode(at: 0, as: Int32.self)) } ?? 0
        }
    }
}
