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
            scenario. Each limit is printed with what was measured. The exit status is 0 only if all are met.
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

    @Option(help: "Threads for the network.")
    var loops = 1

    func validate() throws {
        guard dev != nil || plan else {
            throw ValidationError("--dev names the dev.json of the Muster to play with; or give --plan")
        }
        guard (1...Self.partMax).contains(part) else { throw ValidationError("--part must be 1 to \(Self.partMax)") }
        guard (1...64).contains(loops) else { throw ValidationError("--loops must be 1 to 64") }
        if let prefix, FleetSeed(value: 0, prefix: prefix) == nil {
            throw ValidationError(
                "--prefix must be 1 to \(FleetSeed.prefixLengthMax) of A-Z, a-z, 0-9, '.', '_' and '-'"
            )
        }
    }

    func run() async throws {
        var scenario = try ScenarioFile.read(scenario).part(part)
        scenario.seed = seed ?? scenario.seed
        scenario.prefix = prefix ?? scenario.prefix
        let drawn = try ScenarioPlan(scenario)
        guard !plan, let dev else { return drawn.print { print($0) } }
        let file = try DevFile.read(dev)
        guard let label = ESTLabel(scenario.fleet ?? file.fleet) else {
            throw SimulatorError.devFile("dev.json's fleet \(file.fleet) is not a fleet's name")
        }
        FileHandle.standardError.write(Data("seed \(scenario.seed)\n".utf8))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let report = try await ScenarioRun(plan: drawn, file: file, label: label, group: group).run(part: part)
        try await group.shutdownGracefully()
        print(report.text)
        if let json {
            do {
                try report.encoded().write(to: URL(fileURLWithPath: json), options: .atomic)
            } catch {
                throw SimulatorError.output("cannot write \(json): \(error.localizedDescription)")
            }
        }
        if report.isInterrupted { throw ExitCode(EnrollCommand.interruptedStatus) }
        if !report.isSuccess { throw ExitCode.failure }
    }
}
