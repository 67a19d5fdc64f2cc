import TestPeers

/// The record, seen by psql.
struct RecordProbe: Sendable {
    /// As the server connects.
    let serverURI: String
    /// The same database as the superuser.
    let superuserURI: String

    init(_ document: MusterDev.Document) {
        serverURI = document.database
        superuserURI = document.database.replacing("//muster_server@", with: "//postgres@")
    }

    /// Another database beside the record, as the superuser.
    init(_ document: MusterDev.Document, database: String) {
        let uri = RecordProbe(document).superuserURI.replacing("/muster?", with: "/\(database)?")
        self.init(serverURI: uri, superuserURI: uri)
    }

    /// Runs statements as the superuser; any error fails the test.
    /// - Returns: The rows as lines, columns apart by `|`.
    @discardableResult
    func query(_ sql: String) async throws -> String {
        let result = try await Self.psql(superuserURI, sql, stopsAtError: true)
        guard result.succeeded else { throw BadEnd(program: "psql", errorOutput: result.errorOutput) }
        return result.text.trimmingBlanks
    }

    /// Runs statements, each on its own, as the server's role.
    func asServer(_ sql: String) async throws -> Program.Result {
        try await Self.psql(serverURI, sql, stopsAtError: false)
    }

    private static func psql(_ uri: String, _ sql: String, stopsAtError: Bool) async throws -> Program.Result {
        try await Program.run(
            "psql",
            ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=\(stopsAtError ? 1 : 0)", "-f", "-", uri],
            input: Array(sql.utf8)
        )
    }

    /// Copies the whole database beside it, with its rows, for `body` to spoil; the copy is dropped afterwards.
    func withCopy<Value>(_ body: (RecordProbe) async throws -> Value) async throws -> Value {
        let name = "copy_\(UInt32.random(in: 0 ... .max))"
        try await query("create database \(name)")
        let copy = superuserURI.replacing("/muster?", with: "/\(name)?")
        try await Shell.run("pg_dump \"$1\" | psql -X -q -v ON_ERROR_STOP=1 \"$2\" >/dev/null", superuserURI, copy)
        let result: Result<Value, any Error>
        do { result = .success(try await body(RecordProbe(serverURI: copy, superuserURI: copy))) } catch {
            result = .failure(error)
        }
        try await query("drop database \(name) with (force)")
        return try result.get()
    }

    private init(serverURI: String, superuserURI: String) {
        self.serverURI = serverURI
        self.superuserURI = superuserURI
    }
}
