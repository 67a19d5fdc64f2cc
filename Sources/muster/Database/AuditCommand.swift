import ArgumentParser
import Enrollment
import EnrollmentPostgres
import Logging
import Postgres

/// `muster audit`: the log of who did what.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Check the audit log.",
        subcommands: [VerifyCommand.self]
    )

    struct VerifyCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Recompute the audit log's hash chain; status 1 if an entry was changed, removed or inserted."
        )

        @OptionGroup var target: DatabaseCommand.Target

        func run() async throws {
            try await refusing {
                let pool = try target.pool()
                defer { pool.close() }
                switch try await PostgresAuditLog(pool: pool).verify() {
                case .intact(let entries): print("intact: \(entries) entries")
                case .broken(let sequence, let why): throw refused("broken at entry \(sequence): \(why)")
                }
            }
        }
    }
}

extension DatabaseCommand.Target {
    /// A pool of one connection, for commands that read through the adapters.
    func pool() throws -> PostgresPool {
        let connection =
            try database.map { PostgresConfiguration(connectionString: $0) }
            ?? DatabaseAccess.configuration(options.load().database)
        return PostgresPool(
            PostgresPool.Configuration(connection: connection, connectionsMax: 1),
            logger: Logger(label: "muster") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}
