import ArgumentParser
import Foundation
import OperatorAPI

/// `muster device`: devices that have enrolled.
struct DeviceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device",
        abstract: "Look up devices and their certificates; release and clear those that were revoked.",
        discussion: CommandStatus.explanation,
        subcommands: [
            List.self, Show.self, DeviceHistoryCommand.self, Certificates.self, Release.self, Clear.self,
        ]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List devices: all by name, or one selection."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions

        @Option(help: "Devices whose names begin so.") var prefix: String?
        @Option(help: "First enrolled at or after this time (2027-01-31T12:00:00Z).") var enrolledFrom: String?
        @Option(help: "First enrolled before this time.") var enrolledUntil: String?
        @Option(help: "Whose certificate ends at or after this time.") var expiringFrom: String?
        @Option(help: "Whose certificate ends before this time.") var expiringUntil: String?
        @Option(help: "Let in first by this bootstrap credential (SHA-256).") var credential: String?
        @Option(help: "The holder of this public key (SHA-256).") var keySha256: String?
        @Option(help: "The holder of the certificate of this serial number (hexadecimal).") var serial: String?

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.Device.self,
                        from: client,
                        .listDevices,
                        ["fleet": fleet.fleet],
                        query: [
                            ("prefix", prefix), ("enrolledFrom", enrolledFrom), ("enrolledUntil", enrolledUntil),
                            ("expiringFrom", expiringFrom), ("expiringUntil", expiringUntil),
                            ("credential", credential), ("key", keySha256), ("serial", serial),
                        ],
                        json: output.json,
                        columns: [
                            ("DEVICE", { $0.device }), ("STATE", { $0.state }),
                            ("FIRST ENROLLED", { CommandOutput.time($0.firstEnrolledAt) }),
                            ("LAST SEEN", { CommandOutput.time($0.seenAt) }),
                            ("VALID UNTIL", { CommandOutput.time($0.notAfter) }),
                            ("SERIAL", { CommandOutput.short($0.serialNumber) }),
                            ("TRUST STORE", { CommandOutput.text($0.trustStoreVersion) }),
                        ]
                    )
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a device.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The DeviceID.") var device: String
        @Flag(help: "Print its present certificate as PEM instead.") var pem = false

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let names = ["fleet": fleet.fleet, "device": device]
                    let found = try await client.read(API.Device.self, .getDevice, names)
                    if pem {
                        let all = try await client.read(API.Page<API.Certificate>.self, .listDeviceCertificates, names)
                        guard let present = all.items.first(where: { $0.serialNumber == found.serialNumber }) else {
                            throw CommandFailure(.refused, "its certificate is not in the record")
                        }
                        return CommandOutput.line(present.pem.trimmingCharacters(in: .newlines))
                    }
                    if output.json { return try CommandOutput.json(found) }
                    DeviceCommand.show(found)
                }
            }
        }
    }

    /// A device, and why something is done to it.
    struct Change: ParsableArguments {
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The DeviceID.") var device: String
        @Option(help: "In words, for the record.") var comment: String?

        func run(_ operation: OperatorOperation) async throws {
            let body = comment.map { API.Comment(comment: $0) }
            try await DeviceCommand.change(operation, fleet, connection, body: body, output) { _ in device }
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "release",
            abstract: "End a device's hold: its certificates and keys are what they were before."
        )

        @OptionGroup var change: Change

        func run() async throws { try await change.run(.releaseDevice) }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "clear",
            abstract: "Let a revoked device enroll again, with a new key; what was revoked stays so."
        )

        @OptionGroup var change: Change

        func run() async throws { try await change.run(.clearDevice) }
    }

    struct Certificates: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "certificates",
            abstract: "List every certificate that was issued to a device, newest first."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The DeviceID.") var device: String

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let names = ["fleet": fleet.fleet, "device": device]
                    let page = try await client.read(API.Page<API.Certificate>.self, .listDeviceCertificates, names)
                    if output.json { return try CommandOutput.json(page.items) }
                    var table = TextTable(headers: ["SERIAL", "STATUS", "ISSUED", "VALID UNTIL", "ISSUER"])
                    table.rows = page.items.map {
                        [
                            $0.serialNumber, $0.status, CommandOutput.time($0.issuedAt),
                            CommandOutput.time($0.notAfter), $0.issuer,
                        ]
                    }
                    table.show()
                }
            }
        }
    }

    /// Does something to the device that `name` finds, and shows it as it is then.
    static func change(
        _ operation: OperatorOperation,
        _ fleet: FleetOption,
        _ connection: ConnectionOptions,
        body: (some Encodable & Sendable)?,
        _ output: OutputOptions,
        to name: @Sendable @escaping (OperatorClient) async throws -> String
    ) async throws {
        try await operating {
            try await OperatorClient.with(connection) { client in
                let names = ["fleet": fleet.fleet, "device": try await name(client)]
                let found = try await client.write(API.Device.self, operation, names, body: body)
                output.json ? try CommandOutput.json(found) : show(found)
            }
        }
    }

    private static func show(_ found: API.Device) {
        CommandOutput.pairs([
            ("device", found.device), ("state", found.state),
            ("revoked", found.revocation.map { "\(CommandOutput.time($0.at)) by \($0.by): \($0.reason)" }),
            ("because", found.revocation?.comment),
            ("first enrolled", CommandOutput.time(found.firstEnrolledAt)),
            ("certificate since", CommandOutput.time(found.enrolledAt)),
            ("valid until", CommandOutput.time(found.notAfter)), ("issuer", found.issuer),
            ("serial number", found.serialNumber), ("key SHA-256", found.keySHA256),
            ("first used", found.usedAt.map { CommandOutput.time($0) }),
            ("last seen", CommandOutput.time(found.seenAt)),
            ("let in by anchor", found.firstAnchor), ("and credential", found.firstCredentialSHA256),
            ("trust store", found.trustStoreVersion.map { "version \($0)" }),
            ("acknowledged", found.trustStoreAcknowledgedAt.map { CommandOutput.time($0) }),
        ])
    }
}
