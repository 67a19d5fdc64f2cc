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
            try count(try await pool.query("select create_attempt_partitions(3)"))
        }
    }

    /// Drops the attempts of whole months before the last `months` and the present one.
    /// - Parameter months: 1 to 1,200.
    /// - Returns: How many months were dropped.
    package static func dropAttempts(_ pool: PostgresPool, keptMonths months: Int) async throws(RecordError) -> Int {
        try await recording {
            try count(try await pool.query("select drop_attempt_partitions(\(Int32(clamping: months)))"))
        }
    }

    /// Has PostgreSQL look anew at tables that have doubled since it last did.
    /// - Returns: How many tables that were.
    package static func refreshStatistics(_ pool: PostgresPool) async throws(RecordError) -> Int {
        try await recording { try count(try await pool.query("select refresh_statistics()")) }
    }

    private static func count(_ rows: PostgresRows) throws(PostgresError) -> Int {
        guard let row = rows.first else { return 0 }
        return Int(try row.decode(at: 0, as: Int32.self))
    }
}
