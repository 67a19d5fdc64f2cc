import TestPeers
import Testing

extension SystemTests {
    /// Each bound of the server, reached from outside on a real process: what comes of it, and that it is counted.
    @Suite(.timeLimit(.minutes(10))) enum Bounds {}
}

/// The servers whose bounds are reached: one with small bounds of the device front, one with small queues. Each is
/// started by the first test that asks, and serves all the others.
actor BoundedServers {
    static let shared = BoundedServers()

    /// What the front's server is told. Times are long enough for a slow machine, and still short to wait for.
    static let frontSettings = [
        "est.connectionsMax=\(Front.connections)",
        "est.handshakeTimeoutSeconds=8",
        "est.idleTimeoutSeconds=8",
        "limits.connectionsPerAddressMax=\(Front.connectionsPerAddress)",
        "limits.handshakesMax=\(Front.handshakes)",
        "limits.enrollmentsMax=\(Front.enrollments)",
        "limits.requestHeaderBytesMax=\(Front.headerOctets)",
        "limits.requestBodyBytesMax=\(Front.bodyOctets)",
        "limits.requestBodyTimeoutSeconds=2",
        "limits.csrBytesMax=2048",
        "limits.csrItemsMax=8",
        "limits.chainCertificatesMax=3",
        "public.connectionsMax=\(Front.connections)",
        "public.connectionsPerAddressMax=\(Front.connectionsPerAddress)",
        "public.idleTimeoutSeconds=8",
        "public.bodyTimeoutSeconds=2",
    ]

    enum Front {
        static let connections = 12
        static let connectionsPerAddress = 6
        static let handshakes = 3
        static let enrollments = 3
        static let headerOctets = 2_048
        static let bodyOctets = 8_192
    }

    private static let queueSettings = [
        "database.poolSize=2", "limits.databaseQueueMax=4", "limits.commitQueueMax=1", "limits.commitGroupMax=1",
    ]

    private var front: Task<BoundedServer, any Error>?
    private var queues: Task<BoundedServer, any Error>?

    /// The one with a small device front.
    func smallFront() async throws -> BoundedServer {
        // Unstructured: the server is shared by all tests, and no one of them is its parent.
        let task = front ?? Task { try await BoundedServer(Self.frontSettings) }
        front = task
        return try await task.value
    }

    /// The one with small queues to the record.
    func smallQueues() async throws -> BoundedServer {
        // Unstructured, as above.
        let task = queues ?? Task { try await BoundedServer(Self.queueSettings) }
        queues = task
        return try await task.value
    }
}

/// A `muster serve` with small bounds on the database of the fault tests.
struct BoundedServer: Sendable {
    let bed: FaultBed
    let server: FaultServer

    init(_ settings: [String]) async throws {
        bed = try await FaultBed()
        server = try await FaultServer([], configuration: bed.state + "/muster.yaml", port: 0, settings: settings)
    }

    /// Where Prometheus fetches.
    var metricsURL: String {
        let port = server.program.log.firstMatch(of: /"message":"serving".*"metrics":"(\d+)"/)?.1 ?? ""
        return "http://127.0.0.1:\(port)/metrics"
    }

    /// How often that bound was reached.
    func reached(_ limit: String) async throws -> Int {
        try await count("muster_limit_reached_total{limit=\"\(limit)\"}")
    }

    /// How many enrollments were refused for that reason.
    func refused(_ reason: String) async throws -> Int {
        try await count("outcome=\"refused\",reason=\"\(reason)\"}")
    }

    /// The value of the first series whose line holds that text; 0 if there is none.
    private func count(_ series: String) async throws -> Int {
        let text = try await Shell.run("curl -sS --fail --max-time 20 \"$1\"", metricsURL)
        let line = text.split(separator: "\n").first { !$0.hasPrefix("#") && $0.contains(series) }
        return line?.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) } ?? 0
    }

    /// Runs `body` and expects that it reached each of those bounds.
    func reaching<Value>(_ limits: String..., body: () async throws -> Value) async throws -> Value {
        var before: [String: Int] = [:]
        for limit in limits { before[limit] = try await reached(limit) }
        let value = try await body()
        for limit in limits {
            let count = before[limit, default: 0]
            try await Eventually.holds("\(limit) to be counted", seconds: 30) { try await reached(limit) > count }
        }
        return value
    }

    /// A client of the script that does what no device does.
    /// - Returns: What it said, by key.
    func visitor<Saying: Decodable>(
        _ what: String,
        _ arguments: String...,
        as saying: Saying.Type = Saying.self
    ) async throws -> Saying {
        try await Visitor.run([what, "\(server.port)", bed.document.files.root] + arguments)
    }

    /// The same of the public front.
    func publicVisitor<Saying: Decodable>(
        _ what: String,
        _ arguments: String...,
        as saying: Saying.Type = Saying.self
    ) async throws -> Saying {
        let port = try #require(server.publicURL.split(separator: ":").last)
        return try await Visitor.run([what, String(port), bed.document.files.root] + arguments)
    }

    /// Holds a table of the record locked while `body` runs, so that whatever writes there waits.
    func holding<Value>(_ table: String, _ body: () async throws -> Value) async throws -> Value {
        let lock = "begin; lock table \(table) in access exclusive mode; \\echo held\n"
        let session = try await BackgroundProgram([
            "sh", "-c", "{ printf '%s\\n' \"$2\"; sleep 60; } | psql -X -q \"$1\"", "sh", bed.record.superuserURI, lock,
        ])
        try await Eventually.holds("the lock of \(table)") { session.log.contains("held") }
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        try await bed.record.query(
            """
            select pg_terminate_backend(pid) from pg_locks
            where relation = '\(table)'::regclass and mode = 'AccessExclusiveLock' and granted
            """
        )
        return try result.get()
    }
}
