import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

/// `muster-sim enroll`: a fleet of devices at their first boot.
struct EnrollCommand: AsyncParsableCommand {
    /// The most devices at once, which keeps the process below the usual bound of open files.
    static let concurrencyMax = 4096
    /// The exit status of a program that SIGINT ended.
    static let interruptedStatus: Int32 = 130

    static let configuration = CommandConfiguration(
        commandName: "enroll",
        abstract: "Enroll devices as they do at first boot, and prove that nothing was lost.",
        discussion: """
            Each device makes a fresh TLS connection for each step: it gets /cacerts, enrolls, and checks its \
            certificate up to the root. In the end each certificate is looked up in the record. The exit status is 0 \
            only if every device succeeded and the record has all they hold.
            """
    )

    @Option(help: ArgumentHelp("The dev.json that `muster dev` wrote.", valueName: "file"))
    var dev: String

    @Option(help: "How many devices.")
    var devices: Int

    @Option(help: "How many devices at once.")
    var concurrency = 64

    @Option(help: "How many devices begin in a second; as fast as they go if not given.")
    var rate: Double?

    @Option(help: "Names the fleet: the same seed, the same devices. Random, and printed, if not given.")
    var seed: UInt64?

    @Option(help: "How devices prove who they are: idevid or claim.")
    var identity = IdentityKind.idevid

    @Option(help: "Their operational keys: p256, p384, rsa2048 or ed25519.")
    var key = DeviceKeyKind.p256

    @Option(help: ArgumentHelp("Keep certificates and keys, a file each, in this folder.", valueName: "folder"))
    var out: String?

    @Option(help: ArgumentHelp("Write the report as JSON too.", valueName: "file"))
    var json: String?

    @Flag(help: "Then connect to the broker, verify the trust store, and acknowledge it.")
    var mqtt = false

    @Option(help: "Threads for the network.")
    var loops = 1

    func validate() throws {
        guard (1...FleetSeed.devicesMax).contains(devices) else {
            throw ValidationError("--devices must be 1 to \(FleetSeed.devicesMax)")
        }
        guard (1...Self.concurrencyMax).contains(concurrency) else {
            throw ValidationError("--concurrency must be 1 to \(Self.concurrencyMax)")
        }
        guard (1...64).contains(loops) else { throw ValidationError("--loops must be 1 to 64") }
        if let rate, !(rate > 0 && rate <= 100_000) {
            throw ValidationError("--rate must be above 0, and 100000 at most")
        }
    }

    func run() async throws {
        let file = try DevFile.read(dev)
        let seed = FleetSeed(value: self.seed ?? UInt64(UInt32.random(in: .min ... .max)))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let fleet = try SimulatedFleet(
            file,
            seed: seed,
            identity: identity,
            key: key,
            outputFolder: out,
            mqtt: mqtt,
            group: group
        )
        // Said first, so that a run that is cut short can be repeated too.
        FileHandle.standardError.write(Data("seed \(seed.value)\n".utf8))
        let run = FleetRun(fleet: fleet, devices: devices, concurrency: concurrency, rate: rate)
        let (statistics, elapsed, isInterrupted) = await run.run()
        try await group.shutdownGracefully()
        var record: Report.RecordReport?
        if let database = file.database {
            record = await RecordProof.check(statistics.held, database: database)
        }
        let report = makeReport(file, seed, statistics, elapsed, isInterrupted, record)
        print(report.text)
        if let json {
            do {
                try report.encoded().write(to: URL(fileURLWithPath: json), options: .atomic)
            } catch {
                throw SimulatorError.output("cannot write \(json): \(error.localizedDescription)")
            }
        }
        if isInterrupted { throw ExitCode(Self.interruptedStatus) }
        if !report.isSuccess { throw ExitCode.failure }
    }

    private func makeReport(
        _ file: DevFile,
        _ seed: FleetSeed,
        _ statistics: RunStatistics,
        _ elapsed: Duration,
        _ isInterrupted: Bool,
        _ record: Report.RecordReport?
    ) -> Report {
        let seconds = elapsed.milliseconds / 1000
        return Report(
            seed: seed.value,
            fleet: file.fleet,
            identity: identity.rawValue,
            key: key.rawValue,
            devicesAsked: devices,
            devicesDone: statistics.devices,
            isInterrupted: isInterrupted,
            seconds: seconds,
            enrolledPerSecond: Double(statistics.held.count) / max(seconds, 0.000_001),
            outcomes: statistics.outcomes,
            reasons: statistics.reasons,
            retries: statistics.retries,
            acknowledged: mqtt ? statistics.acknowledged : nil,
            stages: Report.stages(statistics),
            record: record
        )
    }
}
