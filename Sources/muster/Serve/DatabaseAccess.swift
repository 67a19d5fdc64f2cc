import Foundation
import Glibc
import Postgres

/// How the server reaches its database.
enum DatabaseAccess {
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
