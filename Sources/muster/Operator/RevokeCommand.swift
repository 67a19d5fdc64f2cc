import ArgumentParser
import OperatorAPI

/// `muster revoke`: a device, or many, are not to be trusted any more.
struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a device, or many: all their certificates and keys, from the next request on.",
        discussion: """
            With --hold it can be taken back (muster device release). Otherwise the keys stay refused for good, and whether
            the device may come back with a new one is its fleet's to say (reenrollment: never, approval or after-clear;
            muster device clear). Revoking again is no error: a hold may become anything, anything keyCompromise, and
            nothing else changes.

            Many devices: look first with --dry-run, and then say with --confirm how many it told. The dry run tells too who of
            them was seen in the last minutes, which other devices came by the same claims, and which of these are open still:
            revoking devices closes none. Broken off, the command goes on when it is started again: whoever is revoked already
            is passed over.

            Beyond the server's limit by the hour a second operator has to approve: then nothing is done, a request is made, and
            the same command revokes them once it is approved (muster revocation approve).

            With --wait the command stays until nothing that is to refuse the device lacks it, and tells how long each took.

                muster revoke meter-17 --fleet meters --reason keyCompromise --wait
                muster revoke --fleet meters --credential 3f1a… --dry-run
                muster revoke --fleet meters --credential 3f1a… --confirm 412 --reason keyCompromise

            \(CommandStatus.explanation)
            """
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var fleet: FleetOption
    @OptionGroup var output: OutputOptions
    @Argument(help: "The DeviceID.") var device: String?
    @Option(help: "Instead: who holds or held the certificate of this serial number (hexadecimal).") var serial: String?
    @Option(help: "Instead: who holds or held this public key (SHA-256).") var keySha256: String?
    @Option(
        help: "Why: \(API.RevocationOrder.reasons.joined(separator: ", ")).",
        completion: .list(API.RevocationOrder.reasons)
    )
    var reason: String?
    @OptionGroup(title: "Many devices") var group: DeviceGroup
    @Flag(
        help:
            "Only tell how many devices it would be, some of them, who was seen lately, and what else their claims let in."
    ) var dryRun = false
    @Option(help: "Revoke many: how many, as --dry-run told.") var confirm: Int?
    @Flag(help: "Until it is released: the reason certificateHold.") var hold = false
    @Option(help: "In words, for the record.") var comment: String?
    @OptionGroup var waiting: WaitOptions

    func validate() throws {
        if hold, reason != nil { throw ValidationError("give --hold or --reason, not both") }
        let names = [device, serial, keySha256].count { $0 != nil }
        if group.isGiven {
            guard names == 0 else { throw ValidationError("name one device, or choose many, not both") }
            guard dryRun != (confirm != nil) else {
                throw ValidationError("look first with --dry-run; then --confirm the number of devices that it told")
            }
            return
        }
        guard names == 1 else {
            throw ValidationError(
                "name one device, by its DeviceID, by --serial or by --key-sha256; or choose many, such as by --credential"
            )
        }
        if dryRun || confirm != nil { throw ValidationError("--dry-run and --confirm are for many devices") }
    }

    func run() async throws {
        let order = API.RevocationOrder(reason: hold ? API.RevocationOrder.hold : reason, comment: comment)
        if group.isGiven { return try await revokeGroup(order) }
        guard waiting.wait else {
            return try await DeviceCommand.change(.revokeDevice, fleet, connection, body: order, output) { client in
                try await named(client)
            }
        }
        try await revokeAndWait(order)
    }

    private func revokeAndWait(_ order: API.RevocationOrder) async throws {
        try await operating {
            try await OperatorClient.with(connection) { client in
                let name = try await named(client)
                let names = ["fleet": fleet.fleet, "device": name]
                let device = try await client.write(API.Device.self, .revokeDevice, names, body: order)
                let wait = RevocationWait(fleet: fleet.fleet, waiting)
                if !output.json { CommandOutput.line("\(device.device) is \(device.state)") }
                let progress = try await wait.follow(name, client) { step, progress in
                    if !output.json { CommandOutput.line(RevocationWait.line(step, of: progress)) }
                }
                if output.json { try CommandOutput.json(progress) }
                let lacking = progress.steps.filter { !$0.isReached }.map { $0.name.joined(separator: " ") }
                guard lacking.isEmpty else { throw wait.failure(lacking: lacking) }
            }
        }
    }

    private func revokeGroup(_ order: API.RevocationOrder) async throws {
        try await operating {
            try await OperatorClient.with(connection) { client in
                let revocation = GroupRevocation(group: group, fleet: fleet.fleet, order: order)
                guard let confirm else { return try await show(revocation.forecast(client)) }
                let (pending, already) = try await revocation.pending(client)
                guard confirm == pending.count else {
                    throw CommandFailure(
                        .refused,
                        "it would be \(pending.count) devices now, not \(confirm); nothing was done",
                        hint: "look again with --dry-run"
                    )
                }
                try await RevocationPermission(fleet: fleet.fleet, order: order).seek(pending, client)
                try await revocation.carryOut(pending, client)
                var outcome = GroupRevocation.Outcome(revoked: pending.count, already: already)
                if !output.json {
                    CommandOutput.line("\(pending.count) devices are revoked; \(already) were already")
                }
                let wait = RevocationWait(fleet: fleet.fleet, waiting)
                let seen = waiting.wait ? try await wait.follow(pending, client) : nil
                outcome.complete = seen?.complete
                if output.json { try CommandOutput.json(outcome) }
                guard let seen else { return }
                let lacking = seen.lacking.sorted { $0.key < $1.key }.map { "\($0.key) (of \($0.value) devices)" }
                guard lacking.isEmpty else { throw wait.failure(lacking: lacking) }
                if !output.json { CommandOutput.line("all that is to refuse them has all of them") }
            }
        }
    }

    private func show(_ forecast: RevocationForecast) throws {
        if output.json { return try CommandOutput.json(forecast.preview) }
        for line in forecast.lines(isColoured: CommandOutput.isColoured) { CommandOutput.line(line) }
    }

    /// The DeviceID of the one that is meant.
    private func named(_ client: OperatorClient) async throws -> String {
        if let device { return device }
        let page = try await client.read(
            API.Page<API.Device>.self,
            .listDevices,
            ["fleet": fleet.fleet],
            query: [("serial", serial?.lowercased()), ("key", keySha256?.lowercased()), ("limit", "2")]
        )
        let what = serial.map { "the certificate \($0)" } ?? "the key \(keySha256 ?? "")"
        guard let found = page.items.first else {
            throw CommandFailure(.refused, "no device of the fleet \(fleet.fleet) holds or held \(what)")
        }
        guard page.items.count == 1 else {
            throw CommandFailure(
                .refused,
                "\(found.device) is not the only one that held \(what): revoke it by its DeviceID"
            )
        }
        return found.device
    }
}
