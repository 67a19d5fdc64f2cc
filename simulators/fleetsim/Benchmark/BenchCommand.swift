import ArgumentParser
import EST
import Foundation

/// `muster-sim bench`: single measurements of a Muster on this machine, one a call; `ops/bench` runs them in turn.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures what a Muster on this machine spends, and how soon it answers; ops/bench runs it.",
        subcommands: [
            BenchFloorCommand.self, BenchLoadCommand.self, BenchRequestsCommand.self, BenchAuthorizeCommand.self,
            BenchSearchCommand.self, BenchRevocationCommand.self,
        ]
    )
}

/// `muster-sim bench floor`: what the cryptography alone costs.
struct BenchFloorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "floor",
        abstract: "Measures the cryptography that an enrollment costs any server, as JSON."
    )

    @Option(help: "Measured that many times; the median counts.")
    var rounds = 31

    @Option(help: "Enrollments' worth of cryptography in each.")
    var batch = 100

    func validate() throws {
        guard (1...1_000).contains(rounds) else { throw ValidationError("--rounds must be 1 to 1000") }
        guard (1...10_000).contains(batch) else { throw ValidationError("--batch must be 1 to 10000") }
    }

    func run() async throws {
        try BenchOutput.print(CryptoFloor.measure(rounds: rounds, batch: batch))
    }
}

/// `muster-sim bench requests`: requests for a client that is not ours, such as one that resumes TLS sessions.
struct BenchRequestsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requests",
        abstract: "Prints bodies of simpleenroll for devices of dev.json's claim, one a line."
    )

    @Option(help: ArgumentHelp("The dev.json of the Muster to play against.", valueName: "file"))
    var dev: String

    @Option(help: "Requests to print, each of another device.")
    var devices = 1_000

    func validate() throws {
        guard (1...BenchLoadCommand.devicesMax).contains(devices) else {
            throw ValidationError("--devices must be 1 to \(BenchLoadCommand.devicesMax)")
        }
    }

    func run() async throws {
        let file = try DevFile.read(dev)
        guard let label = ESTLabel(file.fleet) else {
            throw SimulatorError.devFile("dev.json's fleet \(file.fleet) is not a fleet's name")
        }
        let fleet = try BenchFleet(file, label: label, mode: .kept)
        var lines = Data()
        for body in try fleet.makeBodies(devices) { lines += body + [UInt8(ascii: "\n")] }
        try FileHandle.standardOutput.write(contentsOf: lines)
    }
}
