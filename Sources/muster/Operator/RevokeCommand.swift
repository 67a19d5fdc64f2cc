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
    @Argument(help: "The DeviceID.") var device: String
    @Option(
        help: "Why: \(API.RevocationOrder.reasons.joined(separator: ", ")).",
        completion: .list(API.RevocationOrder.reasons)
    )
    var reason: String?
    @Flag(help: "Until it is released: the reason certificateHold.") var hold = false
    @Option(help: "In words, for the record.") var comment: String?

    func validate() throws {
        if hold, reason != nil { throw ValidationError("give --hold or --reason, not both") }
    }

    func run() async throws {
        let order = API.RevocationOrder(reason: hold ? API.RevocationOrder.hold : reason, comment: comment)
        try await DeviceCommand.change(.revokeDevice, device, fleet, connection, body: order, output)
    }
}
