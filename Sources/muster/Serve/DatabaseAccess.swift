import Foundation
import Glibc
import Logging
import Postgres

/// How the server reaches its database.
enum DatabaseAccess {
    /// One connection for questions, one for commits.
    private static let enrollmentConnections = 2
    /// The statements of an enrollment are few, and are to be answered by their indexes whatever a table holds at that
    /// moment. PostgreSQL would plan them anew for each group, which takes it longer than to run them, and would read
    /// tables whole that were small when it planned.
    private static let enrollmentSettings = """
        set plan_cache_mode = force_generic_plan; set jit = off;
        set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off
        """

    /// The connections of enrollments, beside those of everything else: an operator's large listing keeps no device
    /// waiting.
    static func enrollmentPool(
        _ connection: PostgresConfiguration,
        onFull: @escaping @Sendable () -> Void,
        logger: Logger
    ) -> PostgresPool {
        var connection = connection
        connection.settings = enrollmentSettings
        return PostgresPool(
            PostgresPool.Configuration(
                connection: connection,
                connectionsMax: enrollmentConnections,
                connectionsMin: enrollmentConnections
            ),
            onFull: onFull,
            logger: logger
        )
    }

    /// The connection that a configuration describes. A password goes to libpq by the process's own environment: it
    /// is not in the argument list, nor in the environment that the process was started with.
    static func configuration(_ database: ServerConfiguration.Database) throws -> PostgresConfiguration {
        if let file = database.passwordFile {
            let line = try ServerMaterial.firstLine(ofSecret: file, key: "database.passwordFile")
            unsafe setenv("PGPASSWORD", String(decoding: line, as: UTF8.self), 1)
        }
        return PostgresConfiguration(
            connectionString: database.address.connectionString,
            connectTimeout: database.connectTimeout,
            callTimeout: database.statementTimeout
        )
    }
}
