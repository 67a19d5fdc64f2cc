import ArgumentParser
import NIOCore
import NIOPosix

/// `muster-sim bench revocation`: what one revocation costs the server, with as many revoked as there are.
struct BenchRevocationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revocation",
        abstract: "Revokes devices that enrolled for a measurement, one by one, and measures their CRLs; prints JSON."
    )
    private static let devicesMax = 10_000

    @Option(help: ArgumentHelp("The dev.json of the Muster to play against.", valueName: "file"))
    var dev: String

    @Option(help: "Revocations to measure; one more comes before.")
    var devices = 100

    @Flag(help: "Measure the list of all instead, which takes minutes where it is large.")
    var complete = false

    func validate() throws {
        guard (1...Self.devicesMax).contains(devices) else {
            throw ValidationError("--devices must be 1 to \(Self.devicesMax)")
        }
    }

    func run() async throws {
        let file = try DevFile.read(dev)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await BenchRecord.with(file) { record in
            let scene = try RevocationScene(file, record: record, on: group.next())
            if complete {
                let revocable = try await record.revocable(CompleteListCost.devices)
                try BenchOutput.print(await CompleteListCost.measure(revocable, in: scene))
            } else {
                let revocable = try await record.revocable(devices + 1)
                var report = try await RevocationCost.measure(revocable, in: scene)
                report.mode = "revocation"
                try BenchOutput.print(report)
            }
        }
        try await group.shutdownGracefully()
    }
}
