import ArgumentParser
import NIOCore
import NIOPosix

/// `muster-sim bench authorize`: gateways ask at a rate whether devices may in, and what that costs the server.
struct BenchAuthorizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authorize",
        abstract: "Asks /authorize about devices that enrolled for a measurement, at a rate; prints JSON."
    )
    private static let questionsMax = 2_000_000
    private static let connectionsMax = 200
    /// Before the measurement: the server asks the record about each device first, and has to catch up with the clock.
    private static let warmupSeconds = 5

    @Option(help: ArgumentHelp("The dev.json of the Muster to play against.", valueName: "file"))
    var dev: String

    @Option(help: "Questions that are due in a second, by the clock.")
    var rate = 2_000

    @Option(help: "Seconds to measure, after five more that do not count.")
    var seconds = 10

    @Option(help: "Connections of the gateway, which stay open.")
    var connections = 32

    @Option(help: "Devices that are asked about in turn; fewer if fewer have enrolled.")
    var devices = 1_000

    func validate() throws {
        guard rate > 0, seconds > 0, rate <= Self.questionsMax, seconds <= Self.questionsMax / rate else {
            throw ValidationError("--rate times --seconds must be 1 to \(Self.questionsMax)")
        }
        guard (1...Self.connectionsMax).contains(connections) else {
            throw ValidationError("--connections must be 1 to \(Self.connectionsMax)")
        }
        guard (1...BenchLoadCommand.devicesMax).contains(devices) else {
            throw ValidationError("--devices must be 1 to \(BenchLoadCommand.devicesMax)")
        }
    }

    func run() async throws {
        let file = try DevFile.read(dev)
        let gateway = try BenchOperator(file)
        let certificates = try await BenchRecord.with(file) { try await $0.certificates(devices) }
        let mark = Array("\"allow\":true".utf8)
        let questions = certificates.map { AskPlan.Question(request: gateway.question(on: $0), mark: mark) }
        let warmup = Self.warmupSeconds * rate
        var report = try await AskPlan(
            questions: (0..<(warmup + seconds * rate)).map { questions[$0 % questions.count] },
            warmup: warmup,
            rate: Double(rate)
        ).run(file, connections: connections)
        report.mode = "authorize"
        try BenchOutput.print(report)
        if report.failed > 0 { throw ExitCode.failure }
    }
}

extension AskPlan {
    /// Asks the operator front of dev.json over that many connections.
    func run(_ file: DevFile, connections count: Int) async throws -> LoadReport {
        let server = try ServerProcess(file)
        let asker = try BenchOperator(file)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        var connections: [KeptConnection] = []
        for _ in 0..<count { connections.append(try await asker.connect(on: loop)) }
        try server.resetPeakMemory()
        let report = try await AskRun(self, over: connections, server: server, on: loop).start()
        for connection in connections { await connection.close() }
        try await group.shutdownGracefully()
        return report
    }
}
