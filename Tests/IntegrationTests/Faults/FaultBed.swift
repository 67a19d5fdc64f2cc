import Foundation
import Glibc
import TestPeers
import Testing

/// What the fault tests share: a `muster dev` whose database, broker and PKI the servers under test use. Only those
/// servers are attacked by their front; each test has a server, or two, of its own.
struct FaultBed: Sendable {
    private static let shared = SharedMusterDev()

    let state: String
    let document: MusterDev.Document
    let record: RecordProbe
    let peers: LocalPeers

    /// Starts it if this is the first test that asks.
    init() async throws {
        let (dev, document) = try await Self.shared.running()
        state = dev.state
        self.document = document
        record = RecordProbe(document)
        peers = LocalPeers(state: dev.state)
    }

    /// A `muster serve`.
    /// - Parameter openFilesMax: The hard limit of its open files; that of the test if nil.
    func server(_ settings: String..., openFilesMax: Int? = nil) async throws -> FaultServer {
        let limit = openFilesMax.map { ["prlimit", "--nofile=\($0)"] } ?? []
        return try await FaultServer(limit, configuration: state + "/muster.yaml", port: 0, settings: settings)
    }

    /// Runs an operator's command and gives its standard output; one that fails fails the test.
    @discardableResult
    func muster(_ arguments: String...) async throws -> String {
        let result = try await Program.run(
            MusterDev.executable("muster"),
            arguments,
            environment: ["MUSTER_CLIENT_DEV": state + "/dev.json", "NO_COLOR": "1"]
        )
        guard result.succeeded else {
            throw BadEnd(program: arguments.joined(separator: " "), errorOutput: result.errorOutput + result.text)
        }
        return result.text
    }
}

/// A running `muster serve`, of which the port is fixed, and what else its settings say: it can be killed and come back
/// where devices look for it.
struct FaultServer: Sendable {
    let program: BackgroundProgram
    let port: Int
    private let starter: [String]
    private let configuration: String
    private let settings: [String]

    /// - Parameter starter: The program, and its arguments, that becomes the server.
    init(_ starter: [String], configuration: String, port: Int, settings: [String]) async throws {
        var values = ["est.listen=127.0.0.1:\(port)"]
        values += ["public.listen", "operator.listen", "metrics.listen"].filter { name in
            !settings.contains { $0.hasPrefix(name + "=") }
        }.map { "\($0)=127.0.0.1:0" }
        let program = try await BackgroundProgram(
            starter + [MusterDev.executable("muster"), "serve", "--config", configuration]
                + (values + settings).flatMap { ["--set", $0] }
        )
        try await Eventually.holds("muster serve to listen", seconds: 90) {
            program.status != nil || Self.port(program) != nil
        }
        guard let port = Self.port(program) else { throw MissedCondition(what: "a server: \(program.log)") }
        self.program = program
        self.port = port
        self.starter = starter
        self.configuration = configuration
        self.settings = settings
    }

    /// Where devices reach it.
    var url: String { "https://localhost:\(port)" }

    /// Where its public front is.
    var publicURL: String {
        let port = program.log.firstMatch(of: /"message":"serving".*"public":"(\d+)"/)?.1 ?? ""
        return "http://127.0.0.1:\(port)"
    }

    /// Where its operator front is.
    var operatorURL: String {
        let port = program.log.firstMatch(of: /"message":"serving".*"operator":"(\d+)"/)?.1 ?? ""
        return "https://localhost:\(port)"
    }

    /// Kills it as a power cut would, and starts it again on the same port.
    func killedAndStarted() async throws -> FaultServer {
        try await kill()
        return try await started()
    }

    /// Kills it as a power cut would.
    func kill() async throws {
        program.signal(SIGKILL)
        try await isKilled()
    }

    /// Waits for the death of one that was killed.
    func isKilled() async throws {
        guard try await program.end(withinSeconds: 10) == 128 + SIGKILL else {
            throw MissedCondition(what: "the death of a server: \(program.status.map { "\($0)" } ?? "it lives")")
        }
    }

    /// Starts it again on the same port after its end.
    /// - Parameter starter: In the place of its own, the program that becomes the server.
    func started(by starter: [String]? = nil) async throws -> FaultServer {
        try await FaultServer(starter ?? self.starter, configuration: configuration, port: port, settings: settings)
    }

    /// Ends it in order.
    func stop() async throws {
        program.signal(SIGCONT)
        program.signal(SIGTERM)
        #expect(try await program.end(withinSeconds: 30) == 0, "\(program.log.suffix(2_000))")
    }

    // MARK: What it takes

    /// Waits until it opens no more files: all connections are in that it lets in.
    func isFull() async throws {
        var counts: [Int] = []
        try await Eventually.holds("a server to let no more connections in", seconds: 90) {
            let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(program.processID)/fd").count
            counts = counts.last == files ? counts + [files] : [files]
            return counts.count == 20
        }
    }

    /// The most memory that it held since `forgetPeak`, in MiB.
    func peakMiB() throws -> Int { try Self.status(program.processID, "VmHWM") / 1_024 }

    /// From here on the peak counts anew (proc(5), clear_refs).
    func forgetPeak() throws {
        try Data("5\n".utf8).write(to: URL(fileURLWithPath: "/proc/\(program.processID)/clear_refs"))
    }

    /// A field of the process's status that is in KiB.
    private static func status(_ process: Int32, _ field: String) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
        guard
            let value = line.flatMap({ $0.split(whereSeparator: \.isWhitespace).dropFirst().first }).flatMap({ Int($0) }
            )
        else { throw MissedCondition(what: "\(field) of process \(process)") }
        return value
    }

    /// From the log line that says where it serves.
    private static func port(_ program: BackgroundProgram) -> Int? {
        program.log.firstMatch(of: /"message":"serving","est":"(\d+)"/).flatMap { Int($0.1) }
    }
}
