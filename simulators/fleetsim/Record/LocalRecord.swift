import Postgres

/// Sessions with a record that is on this machine, for those who make load there.
enum LocalRecord {
    /// - Parameters:
    ///   - uri: A libpq URI.
    ///   - name: What `pg_stat_activity` shows.
    /// - Throws: `database` if it is on another machine.
    static func connect(
        _ uri: String,
        as name: String,
        callTimeout: Duration = PostgresConfiguration.callTimeoutDefault
    ) async throws -> PostgresConnection {
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(connectionString: uri, callTimeout: callTimeout, applicationName: name)
        )
        do {
            // Null: a socket of the file system.
            let place = try await connection.query(
                """
                select coalesce(inet_server_addr() <<= inet '127.0.0.0/8' or inet_server_addr() = inet '::1', true)
                """
            )
            guard let row = place.first, try row.decode(at: 0, as: Bool.self) else {
                throw SimulatorError.database("the database is not on this machine; the simulator makes load only here")
            }
        } catch {
            connection.close()
            throw error
        }
        return connection
    }
}
