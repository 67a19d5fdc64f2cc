import ArgumentParser
import EST
import Foundation
import NIOCore
import NIOPosix

/// `muster-sim run`: plays a scenario file and judges it by the limits in it.
struct RunCommand: AsyncParsableCommand {
    /// The most that counts can be divided by.
    static let partMax = 1_000_000

    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Play a scenario: phases of devices with their faults, and limits that say whether it passed.",
        discussion: """
            What befalls which device is drawn from the seed, before anything is played: the same seed is the same \
            scenario. Each limit is printed with what was measured. The exit status is 0 only if all are met. SIGINT ends \
            it early, with a report of what was measured until then and status 130.
            """
    )

    @Argument(help: ArgumentHelp("The scenario file; simulators/scenarios has some.", valueName: "scenario.yaml"))
    var scenario: String

    @Option(help: ArgumentHelp("The dev.json that `muster dev` wrote.", valueName: "file"))
    var dev: String?

    @Option(help: "Draws and names another fleet than the file's seed.")
    var seed: UInt64?

    @Option(help: "What DeviceIDs begin with, instead of the file's prefix; what is drawn stays the same.")
    var prefix: String?

    @Option(help: ArgumentHelp("Play an n-th of it: every count of the file is divided by n.", valueName: "n"))
    var part = 1

    @Flag(help: "Print what befalls which device, and play nothing.")
    var plan = false

    @Option(help: ArgumentHelp("Write the report as JSON too.", valueName: "file"))
    var json: String?

    @Option(
        help: ArgumentHelp("Write the report as a page with plots too, which opens offline.", valueName: "file")
    )
    var html: String?

    @Option(
        help: ArgumentHelp(
            "In a revocation storm, a gateway that takes the fleet's devices by their certificates, instead of the file's.",
            valueName: "https://host:port"
        )
    )
    var gateway: String?

    @Option(help: "Threads for the network.")
    var loops = 1

    func validate() throws {
        guard dev != nil || plan else {
            throw ValidationError("--dev names the dev.json of the Muster to play with; or give --plan")
        }
        guard (1...Self.partMax).contains(part) else { throw ValidationError("--part must be 1 to \(Self.partMax)") }
        guard (1...64).contains(loops) else { throw ValidationError("--loops must be 1 to 64") }
        if let gateway { _ = try LoopbackEndpoint(url: gateway) }
        if let prefix, FleetSeed(value: 0, prefix: prefix) == nil {
            throw ValidationError(
                "--prefix must be 1 to \(FleetSeed.prefixLengthMax) of A-Z, a-z, 0-9, '.', '_' and '-'"
            )
        }
    }

    func run() async throws {
        switch try ScenarioFile.read(scenario) {
        case .phases(let whole):
            try refuseGateway()
            var scenario = try whole.part(part)
            scenario.seed = seed ?? scenario.seed
            scenario.prefix = prefix ?? scenario.prefix
            let drawn = try ScenarioPlan(scenario)
            try await play(drawn, fleet: scenario.fleet, seed: scenario.seed) { file, label, group in
                try await ScenarioRun(plan: drawn, file: file, label: label, group: group).run(part: part)
            }
        case .revocation(let whole):
            var storm = try whole.part(part)
            storm.seed = seed ?? storm.seed
            storm.prefix = prefix ?? storm.prefix
            storm.gateway = gateway ?? storm.gateway
            let drawn = StormPlan(storm)
            try await play(drawn, fleet: storm.fleet, seed: storm.seed) { file, label, group in
                try await StormRun(plan: drawn, file: file, label: label, group: group).run(part: part)
            }
        case .renewal(let whole):
            try refuseGateway()
            var renewal = try whole.part(part)
            renewal.seed = seed ?? renewal.seed
            renewal.prefix = prefix ?? renewal.prefix
            let drawn = RenewalPlan(renewal)
            try await play(drawn, fleet: renewal.fleet, seed: renewal.seed) { file, label, group in
                try await RenewalRun(plan: drawn, file: file, label: label, group: group).run(part: part)
            }
        }
    }

    /// Shows the plan, or plays it by `run`, writes what it came to, and ends as that is.
    private func play<Judged: RunReport>(
        _ drawn: some DrawnPlan,
        fleet: String?,
        seed: UInt64,
        _ run: (DevFile, ESTLabel, any EventLoopGroup) async throws -> Judged
    ) async throws {
        guard !plan, let dev else { return drawn.print { print($0) } }
        let (file, label) = try target(dev, fleet: fleet, seed: seed)
        let report = try await withLoops { group in try await run(file, label, group) }
        print(report.text)
        try keep(report.encoded(), report.page)
        if report.isInterrupted { throw ExitCode(EnrollCommand.interruptedStatus) }
        if !report.isSuccess { throw ExitCode.failure }
    }

    private func refuseGateway() throws {
        guard gateway == nil else { throw ValidationError("--gateway is for scenarios with a section revocation") }
    }

    private func target(_ dev: String, fleet: String?, seed: UInt64) throws -> (DevFile, ESTLabel) {
        let file = try DevFile.read(dev)
        guard let label = ESTLabel(fleet ?? file.fleet) else {
            throw SimulatorError.devFile("dev.json's fleet \(file.fleet) is not a fleet's name")
        }
        FileHandle.standardError.write(Data("seed \(seed)\n".utf8))
        return (file, label)
    }

    private func withLoops<Value>(_ body: (any EventLoopGroup) async throws -> Value) async throws -> Value {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        do {
            let value = try await body(group)
            try await group.shutdownGracefully()
            return value
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func keep(_ encoded: Data, _ page: ReportPage) throws {
        if let json {
            do { try encoded.write(to: URL(fileURLWithPath: json), options: .atomic) } catch {
                throw SimulatorError.output("cannot write \(json): \(error.localizedDescription)")
            }
        }
        if let html { try page.write(to: html) }
    }
}
