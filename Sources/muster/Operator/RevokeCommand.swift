import ArgumentParser
import OperatorAPI

/// `muster revoke`: a device is not to be trusted any more.
struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Revoke a device: all its certificates and keys, from the next request on.",
        discussion: """
            With --hold it can be taken back (muster device release). Otherwise the keys stay refused for good, and whether
            the device may come back with a new one is its fleet's to say (reenrollment: never, approval or after-clear;
            muster device clear). Revoking again is no error: a hold may become anything, anything keyCompromise, and
            nothing else changes.

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
    @Flag(help: "Until it is released: the reason certificateHold.") var hold = false
    @Option(help: "In words, for the record.") var comment: String?

    func validate() throws {
        if hold, reason != nil { throw ValidationError("give --hold or --reason, not both") }
        guard [device, serial, keySha256].count(where: { $0 != nil }) == 1 else {
            throw ValidationError("name one device: by its DeviceID, by --serial or by --key-sha256")
        }
    }

    func run() async throws {
        let order = API.RevocationOrder(reason: hold ? API.RevocationOrder.hold : reason, comment: comment)
        try await DeviceCommand.change(.revokeDevice, fleet, connection, body: order, output) { client in
            try await named(client)
        }
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
