import Foundation
import Glibc
import TestPeers

/// A PostgreSQL cluster of its own for tests: made by `initdb` in a temporary folder, listening on a free local port
/// and a socket, stopped and removed when it is let go.
final class ThrowawayCluster: Sendable {
    enum Failure: Error { case program(String, String), noPort }

    private static let programs = "/usr/lib/postgresql/15/bin"
    private let directory: TemporaryDirectory
    let port: Int

    /// The cluster that most tests share; each makes its own schema objects.
    static func shared() async throws -> ThrowawayCluster { try await sharedTask.value }
    private static let sharedTask = Task { try await ThrowawayCluster.start(stopsAtExit: true) }

    static func start(stopsAtExit: Bool = false) async throws -> ThrowawayCluster {
        let directory = try TemporaryDirectory(prefix: "pgtest")
        try await initialize(directory)
        for attempt in 1...attemptsMax {
            // Asked for last: from here to the server's start nobody else has long to take it.
            let cluster = try ThrowawayCluster(directory, port: BoundSocket.freePort())
            do {
                try await cluster.start()
            } catch {
                guard attempt < attemptsMax else { throw error }
                continue
            }
            if stopsAtExit { LastCluster.remember(cluster) }
            return cluster
        }
        throw Failure.noPort
    }

    private static let attemptsMax = 3

    private init(_ directory: TemporaryDirectory, port: Int) {
        self.directory = directory
        self.port = port
    }

    deinit { stopNow() }

    var socketConnectionString: String { "host=\(directory.path) port=\(port) user=postgres dbname=postgres" }
    var tcpConnectionString: String {
        "host=127.0.0.1 port=\(port) user=postgres dbname=postgres password=correct-horse"
    }

    func start() async throws {
        let options = "-c unix_socket_directories=\(directory.path) -c listen_addresses=127.0.0.1 -c port=\(port)"
        try await Self.asPostgres(
            "pg_ctl",
            ["-D", directory.path + "/data", "-w", "-t", "120", "-l", directory.path + "/log", "-o", options, "start"]
        )
    }

    /// - Parameter mode: `fast` ends sessions in order, `immediate` is a crash.
    func stop(mode: String = "fast") async throws {
        try await Self.asPostgres(
            "pg_ctl",
            ["-D", directory.path + "/data", "-w", "-t", "120", "-m", mode, "stop"]
        )
    }

    /// Kills one server process as the kernel would, with SIGKILL.
    func kill(process: Int32) async throws { _ = try await Program.run("kill", ["-9", "\(process)"]) }

    private static func initialize(_ directory: TemporaryDirectory) async throws {
        _ = try await Program.run("chown", ["postgres", directory.path])
        try await asPostgres(
            "initdb",
            ["-D", directory.path + "/data", "-A", "trust", "-N", "-E", "UTF8", "--no-locale", "-U", "postgres"]
        )
        let settings = "fsync=off\nmax_connections=60\nshared_buffers=64MB\nmax_wal_senders=0\nwal_level=minimal\n"
        let file = directory.path + "/data/postgresql.conf"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try (text + settings).write(toFile: file, atomically: false, encoding: .utf8)
    }

    private static func asPostgres(_ program: String, _ arguments: [String]) async throws {
        let result = try await Program.run(
            "setpriv",
            ["--reuid", "postgres", "--regid", "postgres", "--clear-groups", "\(programs)/\(program)"] + arguments,
            workingDirectory: "/tmp"
        )
        guard result.succeeded else { throw Failure.program(program, result.text + result.errorOutput) }
    }

    /// Ends the server as a crash would, without a program in between: this also runs while the test process exits.
    fileprivate func stopNow() {
        let file = try? String(contentsOfFile: directory.path + "/data/postmaster.pid", encoding: .utf8)
        guard let line = file?.split(separator: "\n").first, let process = Int32(line) else { return }
        guard Glibc.kill(process, SIGQUIT) == 0 else { return }
        // The server removes its lock file last. It takes a moment; a second is the bound.
        for _ in 0..<200 where unsafe access(directory.path + "/data/postmaster.pid", F_OK) == 0 { usleep(5000) }
    }

    fileprivate func removeNow() {
        stopNow()
        try? FileManager.default.removeItem(atPath: directory.path)
    }
}

/// Stops the shared cluster when the test process exits, since nothing lets go of it before.
private enum LastCluster {
    nonisolated(unsafe) private static var cluster: ThrowawayCluster?

    static func remember(_ cluster: ThrowawayCluster) {
        unsafe self.cluster = cluster
        atexit { unsafe LastCluster.cluster?.removeNow() }
    }
}
