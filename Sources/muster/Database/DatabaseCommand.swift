import ArgumentParser
import EnrollmentPostgres
import Postgres

/// `muster db`: the schema of the record.
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db",
        abstract: "Bring the database's schema forward, or see where it stands.",
        subcommands: [MigrateCommand.self, StatusCommand.self]
    )

    /// Which database: that of a configuration, or one named outright, since migrating takes another role than serving.
    struct Target: ParsableArguments {
        @OptionGroup var options: ConfigurationOptions

        @Option(help: "A libpq URI of the owner's connection, such as postgresql://muster_owner@/muster.")
        var database: String?

        func connect() async throws -> PostgresConnection {
            if let database { return try await PostgresConnection.connect(.init(connectionString: database)) }
            return try await PostgresConnection.connect(try DatabaseAccess.configuration(options.load().database))
        }
    }

    struct MigrateCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "migrate",
            abstract: "Apply the migrations that the database lacks, each in its own transaction."
        )

        @OptionGroup var target: Target

        func run() async throws {
            try await refusing {
                let connection = try await target.connect()
                defer { connection.close() }
                let applied = try await SchemaGuard.migrator.migrate(on: connection)
                for one in applied { print("applied \(one.number) \(one.name)") }
                print("the database is current")
            }
        }
    }

    struct StatusCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Say where the database stands; status 1 unless it is current."
        )

        @OptionGroup var target: Target

        func run() async throws {
            try await refusing {
                let connection = try await target.connect()
                defer { connection.close() }
                let status = try await SchemaGuard.migrator.status(on: connection)
                print("\(status)")
                if status != .current { throw ExitCode(1) }
            }
        }
    }
}
