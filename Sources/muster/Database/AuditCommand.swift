import ArgumentParser
import Enrollment
import EnrollmentPostgres
import Logging
import OperatorAPI
import Postgres

/// `muster audit`: the log of who did what.
struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Read and check the audit log.",
        discussion: CommandStatus.explanation,
        subcommands: [ListCommand.self, VerifyCommand.self]
    )

    struct ListCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List entries, newest first.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions
        @Option(help: "About this alone, such as a fleet, or DEVICE@FLEET.") var subject: String?

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.AuditEntry.self,
                        from: client,
                        .listAudit,
                        query: [("subject", subject)],
                        json: output.json,
                        columns: [
                            ("ENTRY", { "\($0.sequence)" }), ("AT", { CommandOutput.time($0.at) }),
                            ("ACTOR", { $0.actor }), ("ACTION", { $0.action }), ("SUBJECT", { $0.subject }),
                            ("DETAIL", { $0.detail }),
                        ]
                    )
                }
            }
        }
    }

    struct VerifyCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Recompute the audit log's hash chain; status 1 if an entry was changed, removed or inserted.",
            discussion: "By the server; or, with --config or --database, by this program alone, which trusts no server."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var target: DatabaseCommand.Target
        @OptionGroup var output: OutputOptions

        func run() async throws {
            if target.isGiven { return try await verifyHere() }
            try await operating {
                let verdict = try await OperatorClient.with(connection) { client in
                    try await client.read(API.AuditVerdict.self, .verifyAudit)
                }
                if output.json { try CommandOutput.json(verdict) }
                guard verdict.isIntact else {
                    throw CommandFailure(.refused, "broken after entry \(verdict.entries): \(verdict.fault ?? "")")
                }
                if !output.json { CommandOutput.line("intact: \(verdict.entries) entries") }
            }
        }

        private func verifyHere() async throws {
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
    /// True if a database was named on the command line.
    var isGiven: Bool { database != nil || options.file != nil || !options.overrides.isEmpty }

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
