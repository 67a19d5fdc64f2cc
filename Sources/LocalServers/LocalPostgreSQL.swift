import Foundation
import Glibc
package import Logging

/// A private PostgreSQL under a folder: made on the first start, the same data on every later one.
///
/// It listens on a Unix socket only, in a folder that only its own user and root can enter; whoever can reach the
/// socket is trusted. It runs as an unprivileged user (`postgres`, else `nobody`) when root starts it. The server has
/// a session of its own and outlives a starter that was killed; the next start on the same folder stops that old one
/// first and goes on with its data. One process at a time may use a folder.
package actor LocalPostgreSQL {
    /// How the server is set up. What it does not name keeps PostgreSQL's default.
    package struct Configuration: Sendable {
        /// Connections at once, 5 or more.
        package var connectionsMax = 100
        /// Memory for cached pages, in MiB.
        package var sharedBuffersMiB = 128
        /// False only for tests: without it a crash of the machine may lose everything.
        package var isDurable = true
        /// Further settings of postgresql.conf, by name.
        package var settings: [String: String] = [:]

        package init() {}
    }

    /// The name of the superuser, who needs no password on the socket.
    package static let superuser = "postgres"

    /// The server's own folder: data, socket, log.
    package nonisolated let directory: String
    /// The folder of the Unix socket, as libpq's `host`.
    package nonisolated let socketDirectory: String

    private let configuration: Configuration
    private let logger: Logger
    private let user: ServerUser
    private let socket: PostgreSQLSocket
    private var folder: ServerFolder?
    private var programs: PostgreSQLPrograms?
    private var isBusy = false

    /// Nothing is made or started yet.
    /// - Parameter directory: An absolute path. Made by `start()` if it is missing; the folders above it must be
    ///   open (`x`) to the server's user.
    package init(
        directory: String,
        configuration: Configuration = Configuration(),
        logger: Logger
    ) throws(LocalServerError) {
        guard directory.hasPrefix("/"), !directory.contains("\0") else {
            throw .unusable(what: "the folder '\(directory)'", why: "give an absolute path")
        }
        let plain = URL(fileURLWithPath: directory).standardizedFileURL.path
        user = try ServerUser.choose(preferring: ["postgres"])
        socket = PostgreSQLSocket(directory: plain, user: user)
        self.directory = plain
        socketDirectory = socket.folder
        self.configuration = configuration
        self.logger = logger
    }

    /// A libpq URI for that database and user, over the socket.
    package nonisolated func connectionURI(database: String, user: String = superuser) -> String {
        "postgresql://\(Self.percentEncoded(user))@/\(Self.percentEncoded(database))?host=\(socketDirectory)"
    }

    /// True while the server runs, whoever started it.
    package var isRunning: Bool { postmaster() != nil }

    /// The id of the server's main process; nil if it does not run.
    package var processID: Int32? { postmaster()?.id }

    /// Starts the server and returns when it takes connections. An old server that was left on this folder by a
    /// starter that died is stopped first.
    package func start() async throws(LocalServerError) {
        try beginChange()
        defer { isBusy = false }
        let folder = try await ownFolder()
        let version = (try? String(contentsOfFile: directory + "/data/PG_VERSION", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let programs = try await PostgreSQLPrograms.find(major: version, dataFolder: directory + "/data")
        self.programs = programs
        if version == nil { try await initialize(with: programs) }
        try await endOldServer()
        try socket.make(for: user)
        try folder.write("data/postgresql.conf", settings().utf8)
        try folder.prepareLog("postgresql.log")
        let outcome = try await ServerProgram.run(
            programs("pg_ctl"),
            [
                "start", "-w", "-t", "\(Self.startSecondsMax)", "-s", "-D", directory + "/data",
                "-l", directory + "/postgresql.log",
            ],
            as: user
        )
        guard outcome.succeeded, let process = postmaster() else {
            _ = await end([(SIGQUIT, .seconds(5)), (SIGKILL, .seconds(5))])
            throw .failed(action: "start PostgreSQL in \(directory)", detail: folder.logTail("postgresql.log"))
        }
        logger.info("PostgreSQL runs", metadata: ["directory": "\(directory)", "pid": "\(process.id)"])
    }

    /// Ends the server in order: a fast shutdown, then an immediate one, then the kernel's. Does nothing if it does
    /// not run. Every wait is bounded.
    package func stop() async throws(LocalServerError) {
        try beginChange()
        defer { isBusy = false }
        let ended = await end([(SIGINT, .seconds(20)), (SIGQUIT, .seconds(10)), (SIGKILL, .seconds(5))])
        guard ended else { throw .timedOut(action: "stop PostgreSQL in \(directory)", detail: "it lives on") }
        socket.remove()
        folder = nil
    }

    /// Kills the server as a crash would, for tests: it recovers at the next start.
    package func kill() async { _ = await end([(SIGKILL, .seconds(10))]) }

    /// Runs a SQL script as superuser through psql, stopping at its first error.
    /// - Returns: What the script's queries gave: a line for each row, columns parted by `|`.
    @discardableResult
    package func run(sql: String, database: String = "postgres") async throws(LocalServerError) -> String {
        guard let programs else { throw .failed(action: "run SQL", detail: "the server was not started") }
        let outcome = try await ServerProgram.run(
            programs("psql"),
            ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-", connectionURI(database: database)],
            as: user,
            input: sql
        )
        guard outcome.succeeded else { throw .failed(action: "run SQL", detail: outcome.detail) }
        return outcome.output.trimmingCharacters(in: .newlines)
    }

    // MARK: Steps

    private func beginChange() throws(LocalServerError) {
        // An actor's calls interleave at each await; two starts at once would race for the same folder.
        guard !isBusy else { throw .failed(action: "change PostgreSQL", detail: "it is starting or stopping already") }
        isBusy = true
    }

    private func ownFolder() async throws(LocalServerError) -> ServerFolder {
        if let folder { return folder }
        let folder = try await ServerFolder(directory, for: user)
        self.folder = folder
        return folder
    }

    /// Makes the data in a folder beside, and moves it into place whole: a start that was killed on the way is
    /// simply made again.
    private func initialize(with programs: PostgreSQLPrograms) async throws(LocalServerError) {
        let partial = directory + "/data.partial"
        try? FileManager.default.removeItem(atPath: partial)
        var arguments = [
            "-D", partial, "-U", Self.superuser, "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums",
            "--auth-local=trust", "--auth-host=reject", "--no-instructions",
        ]
        if !configuration.isDurable { arguments.append("--no-sync") }
        let outcome = try await ServerProgram.run(programs("initdb"), arguments, as: user)
        guard outcome.succeeded else {
            throw .failed(action: "make a database in \(directory)", detail: outcome.detail)
        }
        guard unsafe rename(partial, directory + "/data") == 0 else { throw .errno("rename", partial) }
    }

    private func endOldServer() async throws(LocalServerError) {
        if let old = postmaster() {
            logger.notice("Stopping an old PostgreSQL", metadata: ["directory": "\(directory)", "pid": "\(old.id)"])
        }
        guard await end([(SIGINT, .seconds(20)), (SIGQUIT, .seconds(10)), (SIGKILL, .seconds(5))]) else {
            throw .timedOut(action: "stop the old PostgreSQL in \(directory)", detail: "it lives on")
        }
        // Nobody runs here, so a lock file that is left names a zombie, or a process of somebody else's by now.
        try? FileManager.default.removeItem(atPath: directory + "/data/postmaster.pid")
        socket.removeFiles()
    }

    /// The main process, by its lock file; nil if the process of that id is not this server.
    private func postmaster() -> ServerProcess? {
        guard let text = try? String(contentsOfFile: directory + "/data/postmaster.pid", encoding: .utf8),
            let id = text.split(whereSeparator: \.isNewline).first.flatMap({ Int32($0) }),
            let process = ServerProcess(id: id), process.runs("postgres"), process.workingDirectory == dataPath
        else { return nil }
        return process
    }

    /// Signals the main process, and waits until it and all its children are gone: children that outlive it hold
    /// the shared memory that the next start needs.
    private func end(_ steps: [(signal: Int32, patience: Duration)]) async -> Bool {
        if let process = postmaster() { _ = await process.end(with: steps) }
        let path = dataPath
        if await Patience.wait(.seconds(5), until: { ServerProcess.all(in: path, running: "postgres").isEmpty }) {
            return true
        }
        for process in ServerProcess.all(in: path, running: "postgres") { process.send(SIGKILL) }
        return await Patience.wait(.seconds(5), until: { ServerProcess.all(in: path, running: "postgres").isEmpty })
    }

    /// The data folder as the kernel names it, without symbolic links.
    private var dataPath: String { URL(fileURLWithPath: directory + "/data").resolvingSymlinksInPath().path }

    private func settings() -> String {
        var values: [String: String] = [
            "listen_addresses": "",
            "unix_socket_directories": socketDirectory,
            "max_connections": "\(max(configuration.connectionsMax, 5))",
            "shared_buffers": "\(configuration.sharedBuffersMiB)MB",
            "timezone": "UTC", "log_timezone": "UTC", "datestyle": "ISO, YMD", "lc_messages": "C",
            "log_line_prefix": "%m [%p] %u@%d ",
        ]
        if !configuration.isDurable {
            // Commits still reach the system's cache before they count (synchronous_commit): a killed server loses none.
            values.merge(["fsync": "off", "full_page_writes": "off"]) { $1 }
        }
        values.merge(configuration.settings) { $1 }
        let lines = values.sorted { $0.key < $1.key }.map { name, value in
            "\(name) = '\(value.replacing("'", with: "''"))'\n"
        }
        return "# Written at each start of the private server; changes here are lost.\n" + lines.joined()
    }

    private static let startSecondsMax = 60

    private static func percentEncoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._")))
            ?? text
    }
}
