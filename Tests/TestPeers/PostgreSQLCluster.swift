package import LocalServers
import Logging

/// One private PostgreSQL for all tests of a process, in a temporary folder; each test takes a database of its own.
///
/// It is started by the first test that asks, and ends with the process, however that ends.
package actor PostgreSQLCluster {
    /// The server of this test process.
    package static let shared = PostgreSQLCluster()

    private var started: Task<Running, any Error>?

    private struct Running: Sendable {
        let server: LocalPostgreSQL
        let folder: TemporaryDirectory
        let watchdog: Watchdog
    }

    /// The server, running.
    package func server() async throws -> LocalPostgreSQL { try await running().server }

    /// Makes a fresh, empty database.
    /// - Returns: Its libpq URI, for the superuser.
    package func database() async throws -> String {
        let server = try await server()
        let name = "test_\(UInt64.random(in: 0 ... .max))"
        try await server.run(sql: "CREATE DATABASE \(name)")
        return server.connectionURI(database: name)
    }

    /// Lends `body` the URI of a fresh, empty database, which is dropped afterwards with its connections.
    package func withDatabase<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let server = try await server()
        let name = "test_\(UInt64.random(in: 0 ... .max))"
        try await server.run(sql: "CREATE DATABASE \(name)")
        let result: Result<Value, any Error>
        do { result = .success(try await body(server.connectionURI(database: name))) } catch {
            result = .failure(error)
        }
        try await server.run(sql: "DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        return try result.get()
    }

    private func running() async throws -> Running {
        if let started { return try await started.value }
        // Unstructured: the server is shared by all tests, and no one of them is its parent.
        let task = Task { try await Self.start() }
        started = task
        return try await task.value
    }

    private static func start() async throws -> Running {
        let folder = try TemporaryDirectory(prefix: "mpg")
        // Guarded before it exists: nothing is left behind if we are killed while it starts.
        let watchdog = try Watchdog(script: cleanUp, arguments: [folder.path])
        var configuration = LocalPostgreSQL.Configuration()
        configuration.isDurable = false
        configuration.sharedBuffersMiB = 32
        configuration.connectionsMax = 200
        let server = try LocalPostgreSQL(
            directory: folder.path + "/pg",
            configuration: configuration,
            logger: Logger(label: "test.postgresql") { _ in SwiftLogNoOpLogHandler() }
        )
        try await server.start()
        return Running(server: server, folder: folder, watchdog: watchdog)
    }

    /// Immediate shutdown of what runs on that data, if it is that; then the folder goes.
    private static let cleanUp = """
        for try in $(seq 100); do
            pid=$(head -n 1 "$1/pg/data/postmaster.pid" 2>/dev/null)
            if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$1/pg/data" ]; then kill -QUIT "$pid"
            elif ! pgrep -f "$1/" >/dev/null 2>&1; then break
            fi
            sleep 0.2
        done
        rm -rf "$1"
        """
}
