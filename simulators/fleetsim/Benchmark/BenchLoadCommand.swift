import ArgumentParser
import EST
import NIOCore
import NIOPosix

/// How the devices of a measurement come.
enum BenchMode: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Each device with its IDevID on a connection of its own: a full handshake for each enrollment.
    case fresh
    /// A gateway with a claim certificate enrolls several devices on each connection.
    case kept

    /// Enrollments on one connection.
    var requestsPerConnection: Int {
        switch self {
        case .fresh: 1
        case .kept: 10
        }
    }
}

/// `muster-sim bench load`: enrollments as fast as they go, or at a rate, and what they cost the server.
struct BenchLoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Enrolls devices that were made beforehand, and measures the server's CPU time; prints JSON."
    )
    static let devicesMax = 200_000
    private static let connectionsMax = 10_000

    @Option(help: ArgumentHelp("The dev.json of the Muster to play against.", valueName: "file"))
    var dev: String

    @Option(help: "fresh: a handshake for each enrollment. kept: ten enrollments on a connection.")
    var mode = BenchMode.fresh

    @Option(help: "Enrollments to measure.")
    var devices = 5_000

    @Option(help: "Enrollments before, which do not count.")
    var warmup = 500

    @Option(help: "Connections at once.")
    var connections = 64

    @Option(help: "Enrollments that begin in a second, by the clock; as fast as they go if not given.")
    var rate: Double?

    @Option(help: "Open this many connections first, enroll on each, and hold them to the end.")
    var hold = 0

    @Option(help: "The server's process, if it is not dev.json's.")
    var pid: Int32?

    func validate() throws {
        guard (1...Self.devicesMax).contains(devices) else {
            throw ValidationError("--devices must be 1 to \(Self.devicesMax)")
        }
        guard (0...Self.devicesMax).contains(warmup) else {
            throw ValidationError("--warmup must be 0 to \(Self.devicesMax)")
        }
        guard (1...Self.connectionsMax).contains(connections) else {
            throw ValidationError("--connections must be 1 to \(Self.connectionsMax)")
        }
        guard (0...Self.connectionsMax).contains(hold) else {
            throw ValidationError("--hold must be 0 to \(Self.connectionsMax)")
        }
        if let rate, !(rate > 0 && rate <= 100_000) {
            throw ValidationError("--rate must be above 0, and 100000 at most")
        }
    }

    func run() async throws {
        let file = try DevFile.read(dev)
        guard let label = ESTLabel(file.fleet) else {
            throw SimulatorError.devFile("dev.json's fleet \(file.fleet) is not a fleet's name")
        }
        guard let server = (pid ?? file.pid).map({ ServerProcess(pid: $0) }) else {
            throw SimulatorError.devFile("dev.json has no pid; give the server's with --pid")
        }
        let fleet = try BenchFleet(file, label: label, mode: mode)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let held = HeldConnections(fleet: fleet, endpoint: try LoopbackEndpoint(url: file.urls.est))
        try await held.open(hold, on: loop)
        let plan = LoadPlan(
            connections: try fleet.makeConnections(enrollments: warmup + devices),
            warmup: warmup,
            concurrency: connections,
            rate: rate
        )
        try server.resetPeakMemory()
        let endpoint = try LoopbackEndpoint(url: file.urls.est)
        let run = LoadRun(plan, endpoint: endpoint, server: server, on: loop)
        var report = try await run.start()
        report.mode = mode.rawValue
        report.held = hold
        try await held.close()
        try await group.shutdownGracefully()
        try BenchOutput.print(report)
        if report.failed > 0 { throw ExitCode.failure }
    }
}
