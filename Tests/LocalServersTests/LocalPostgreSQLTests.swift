import Foundation
import Glibc
import LocalServers
import Logging
import TestPeers
import Testing

@Suite(.timeLimit(.minutes(10)))
struct LocalPostgreSQLTests {
    private static func server(
        _ folder: String,
        settings: [String: String] = [:]
    ) throws -> LocalPostgreSQL {
        var configuration = LocalPostgreSQL.Configuration()
        configuration.connectionsMax = 20
        configuration.sharedBuffersMiB = 16
        configuration.isDurable = false
        configuration.settings = settings
        return try LocalPostgreSQL(
            directory: folder + "/pg",
            configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    @Test func `data are there again after a stop, a restart and a crash, and stop leaves no process`() async throws {
        let folder = try TemporaryDirectory(prefix: "lpg")
        let server = try Self.server(folder.path)
        try await server.start()
        try await server.run(sql: "CREATE TABLE seen (n int); INSERT INTO seen VALUES (7)")
        let uri = server.connectionURI(database: "postgres")
        let asked = try await Program.run("psql", ["-X", "-A", "-t", "-c", "SELECT n FROM seen", uri])
        #expect(asked.text == "7\n", "\(asked.errorOutput)")
        #expect(
            try await server.run(sql: "SHOW server_encoding; SHOW data_checksums; SHOW listen_addresses") == "UTF8\non"
        )

        let first = try #require(await server.processID)
        await server.kill()
        #expect(await !server.isRunning)
        try await server.start()
        #expect(try await server.run(sql: "SELECT n FROM seen") == "7")
        try await server.stop()
        #expect(await !server.isRunning)
        #expect(try await Program.run("pgrep", ["-f", folder.path]).text == "")

        let again = try Self.server(folder.path)
        try await again.start()
        #expect(try await again.run(sql: "SELECT n FROM seen") == "7")
        #expect(await again.processID != first)
        try await again.stop()
        try await again.stop()
    }

    @Test func `the server runs as an unprivileged user, whose socket nobody else can reach`() async throws {
        let folder = try TemporaryDirectory(prefix: "lpg")
        let server = try Self.server(folder.path)
        try await server.start()
        let id = try #require(await server.processID)
        let status = try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)
        #expect(!status.contains("Uid:\t0\t"))
        let mode = try FileManager.default.attributesOfItem(atPath: server.socketDirectory)[.posixPermissions] as? Int
        #expect(mode == 0o700)
        let session = try await Program.run("ps", ["-o", "sid=", "-p", "\(id)"]).text
        #expect(Int32(session.trimmingCharacters(in: .whitespacesAndNewlines)) != getsid(0))
        try await server.stop()
    }

    @Test func `after its starter was killed the old server is stopped, and its data go on`() async throws {
        let folder = try TemporaryDirectory(prefix: "lpg")
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = folder.path as String] in
            let server = try Self.server(path)
            try await server.start()
            try await server.run(sql: "CREATE TABLE seen (n int); INSERT INTO seen VALUES (8)")
            kill(getpid(), SIGKILL)
        }
        let server = try Self.server(folder.path)
        let old = try #require(await server.processID, "the orphan lives")
        try await server.start()
        #expect(try await server.run(sql: "SELECT n FROM seen") == "8")
        #expect(await server.processID != old)
        try await server.stop()
        #expect(try await Program.run("pgrep", ["-f", folder.path]).text == "")
    }

    @Test func `a lock file that names somebody else's process neither harms that process nor stops the start`()
        async throws
    {
        let folder = try TemporaryDirectory(prefix: "lpg")
        let server = try Self.server(folder.path)
        try await server.start()
        let lockFile = folder.path + "/pg/data/postmaster.pid"
        let lock = try String(contentsOfFile: lockFile, encoding: .utf8)
        try await server.stop()
        let rest = lock.split(separator: "\n").dropFirst().joined(separator: "\n")
        try "\(getpid())\n\(rest)\n".write(toFile: lockFile, atomically: true, encoding: .utf8)
        #expect(await !server.isRunning)
        try await server.start()
        #expect(await server.isRunning)
        try await server.stop()
    }

    @Test func `a folder that another starter uses is refused`() async throws {
        let folder = try TemporaryDirectory(prefix: "lpg")
        let server = try Self.server(folder.path)
        try await server.start()
        await #expect(throws: LocalServerError.inUse(directory: folder.path + "/pg")) {
            try await Self.server(folder.path).start()
        }
        #expect(await server.isRunning)
        try await server.stop()
    }

    @Test(.enabled(if: geteuid() == 0))
    func `a folder above that the server's user may not enter is named in the error`() async throws {
        let folder = try TemporaryDirectory(prefix: "lpg")
        #expect(unsafe chmod(folder.path, 0o700) == 0)
        let error = await #expect(throws: LocalServerError.self) { try await Self.server(folder.path).start() }
        #expect(error?.description.contains("may not enter \(folder.path);") == true, "\(String(describing: error))")
    }

    @Test func `a folder with a long or odd path gets its socket elsewhere`() async throws {
        let folder = try TemporaryDirectory(prefix: "lpg")
        let server = try Self.server(folder.path + "/it's a " + String(repeating: "long", count: 25))
        #expect(server.socketDirectory.hasPrefix("/tmp/muster-"))
        try await server.start()
        #expect(try await server.run(sql: "SELECT 1") == "1")
        try await server.stop()
        #expect(!FileManager.default.fileExists(atPath: server.socketDirectory))
    }

    @Test func `a setting that PostgreSQL refuses is told with its log`() async throws {
        let folder = try TemporaryDirectory(prefix: "lpg")
        let server = try Self.server(folder.path, settings: ["max_wal_senders": "many"])
        let error = await #expect(throws: LocalServerError.self) { try await server.start() }
        #expect(error?.description.contains("max_wal_senders") == true)
        #expect(await !server.isRunning)
    }

    @Test func `the shared cluster gives each test a database of its own`() async throws {
        try await PostgreSQLCluster.shared.withDatabase { first in
            try await PostgreSQLCluster.shared.withDatabase { second in
                #expect(first != second)
                let made = try await Program.run("psql", ["-X", "-c", "CREATE TABLE t ()", first])
                #expect(made.succeeded)
                let seen = try await Program.run("psql", ["-X", "-A", "-t", "-c", "SELECT to_regclass('t')", second])
                #expect(seen.text == "\n")
            }
        }
    }
}
