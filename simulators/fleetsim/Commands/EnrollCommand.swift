import ArgumentParser
import EST
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
            only if every device succeeded, or the counts are those of --expect, and the record has all they hold.
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

    @Option(help: ArgumentHelp("The fleet, by its EST label; dev.json's if not given.", valueName: "name"))
    var fleet: String?

    @OptionGroup(title: "Which devices") var fleetOptions: FleetOptions
    @OptionGroup(title: "Bootstrap credentials") var credentials: CredentialOptions

    @Option(
        help: ArgumentHelp(
            "How long a device that is answered 202 goes on asking, each time when Retry-After says.",
            valueName: "seconds"
        )
    )
    var wait = 0

    @Option(
        help: ArgumentHelp(
            "What is to come, like issued=900,credential-device-limit=100; any other count is a failure.",
            valueName: "counts"
        ),
        transform: { try Expectation($0) }
    )
    var expect: Expectation?

    @Option(help: ArgumentHelp("Keep certificates and keys, a file each, in this folder.", valueName: "folder"))
    var out: String?

    @Option(help: ArgumentHelp("Write the report as JSON too.", valueName: "file"))
    var json: String?

    @Flag(help: "Then connect to the broker, verify the trust store, and acknowledge it.")
    var mqtt = false

    @Option(help: "Threads for the network.")
    var loops = 1

    func validate() throws {
        try FleetPlan.validate(devices: devices)
        guard (1...Self.concurrencyMax).contains(concurrency) else {
            throw ValidationError("--concurrency must be 1 to \(Self.concurrencyMax)")
        }
        guard (0...RetryAfter.secondsMax).contains(wait) else {
            throw ValidationError("--wait must be 0 to \(RetryAfter.secondsMax) seconds")
        }
        if let fleet, ESTLabel(fleet) == nil { throw ValidationError("--fleet \(fleet) is not a fleet's name") }
        guard (1...64).contains(loops) else { throw ValidationError("--loops must be 1 to 64") }
        if let rate, !(rate > 0 && rate <= 100_000) {
            throw ValidationError("--rate must be above 0, and 100000 at most")
        }
    }

    func run() async throws {
        let file = try DevFile.read(dev)
        let folder = fleetOptions.identities.map { IdentityFolder(path: $0) }
        let plan =
            try folder.map { try FleetPlan(fleetOptions, devices: devices, kept: $0.filledPlan()) }
            ?? FleetPlan(fleetOptions, devices: devices)
        try credentials.validate(for: plan.identity, isKept: folder != nil)
        guard let label = ESTLabel(fleet ?? file.fleet) else {
            throw SimulatorError.devFile("dev.json's fleet \(file.fleet) is not a fleet's name")
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let simulated = try SimulatedFleet(
            file,
            label: label,
            plan: plan,
            identities: IdentitySource(plan.identity, files: file.files, options: credentials, folder: folder),
            folder: folder,
            patience: ApprovalPatience(waitMax: .seconds(wait)),
            outputFolder: out,
            mqtt: mqtt,
            group: group
        )
        // Said first, so that a run that is cut short can be repeated too.
        FileHandle.standardError.write(Data("seed \(plan.seed)\n".utf8))
        let run = FleetRun(
            device: { Device(number: $0, fleet: simulated) },
            devices: devices,
            concurrency: concurrency,
            rate: rate
        )
        let (statistics, elapsed, isInterrupted) = await hearingInterrupts { await run.run(until: $0) }
        try await group.shutdownGracefully()
        var record: Report.RecordReport?
        if let database = file.database {
            record = await RecordProof.check(statistics.held, database: database)
        }
        let report = makeReport(simulated, plan, statistics, elapsed, isInterrupted, record)
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
        _ fleet: SimulatedFleet,
        _ plan: FleetPlan,
        _ statistics: RunStatistics,
        _ elapsed: Duration,
        _ isInterrupted: Bool,
        _ record: Report.RecordReport?
    ) -> Report {
        let seconds = elapsed.milliseconds / 1000
        return Report(
            seed: plan.seed,
            fleet: fleet.client.label.text,
            identity: plan.identity.rawValue,
            key: plan.key.rawValue,
            devicesAsked: devices,
            devicesDone: statistics.devices,
            isInterrupted: isInterrupted,
            seconds: seconds,
            enrolledPerSecond: Double(statistics.held.count) / max(seconds, 0.000_001),
            outcomes: statistics.outcomes,
            reasons: statistics.reasons,
            retries: statistics.retries,
            counts: statistics.codes,
            expected: expect?.counts,
            claims: plan.identity == .claim
                ? fleet.claims.enumerated().map { index, claim in
                    Report.ClaimReport(sha256: claim.sha256, counts: statistics.codesOfClaims[index] ?? [:])
                } : nil,
            acknowledged: mqtt ? statistics.acknowledged : nil,
            stages: Report.stages(statistics),
            record: record
        )
    }
}
