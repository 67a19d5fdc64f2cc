import ArgumentParser
import Foundation
import OperatorAPI

/// `muster registration`: devices that are announced beforehand.
struct RegistrationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registration",
        abstract: "Announce devices: one, or a file of a million.",
        discussion: CommandStatus.explanation,
        subcommands: [List.self, Show.self, Add.self, Remove.self, RegistrationImportCommand.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List registrations by name.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions
        @Option(help: "Devices whose names begin so.") var prefix: String?

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.Registration.self,
                        from: client,
                        .listRegistrations,
                        ["fleet": fleet.fleet],
                        query: [("prefix", prefix)],
                        json: output.json,
                        columns: [
                            ("DEVICE", { $0.device }), ("ENROLLED", { $0.isEnrolled ? "yes" : "no" }),
                            ("KEY", { CommandOutput.short($0.keySHA256) }),
                            ("IDEVID", { CommandOutput.short($0.idevidSHA256) }),
                            ("SINCE", { CommandOutput.time($0.createdAt) }),
                        ]
                    )
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a registration.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The DeviceID.") var device: String

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let names = ["fleet": fleet.fleet, "device": device]
                    let found = try await client.read(API.Registration.self, .getRegistration, names)
                    try RegistrationCommand.show(found, json: output.json)
                }
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Register a device, or make its registration say this.",
            discussion: "Without a pin any key and any accepted bootstrap credential that names the device will do."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The DeviceID.") var device: String
        @Option(help: "SHA-256 of the only public key that may enroll.") var keySha256: String?
        @Option(help: "A PEM file of that key: public key, request or certificate.", completion: .file()) var key:
            String?
        @Option(help: "SHA-256 of the only IDevID that may enroll.") var idevidSha256: String?
        @Option(help: "A PEM file of that IDevID.", completion: .file()) var idevid: String?

        func validate() throws {
            if key != nil, keySha256 != nil { throw ValidationError("give --key or --key-sha256, not both") }
            if idevid != nil, idevidSha256 != nil {
                throw ValidationError("give --idevid or --idevid-sha256, not both")
            }
        }

        func run() async throws {
            try await operating {
                let pins = API.RegistrationPins(
                    keySHA256: try key.map { try PEMFingerprint.publicKey($0) } ?? keySha256?.lowercased(),
                    idevidSHA256: try idevid.map { try PEMFingerprint.certificate($0) } ?? idevidSha256?.lowercased()
                )
                try await OperatorClient.with(connection) { client in
                    let names = ["fleet": fleet.fleet, "device": device]
                    let made = try await client.write(API.Registration.self, .putRegistration, names, body: pins)
                    if output.json { return try CommandOutput.json(made) }
                    CommandOutput.line("\(made.device) is registered in \(fleet.fleet)")
                }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove",
            abstract: "Take a registration away; a certificate that the device has stays as it is."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The DeviceID.") var device: String

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await client.send(.removeRegistration, ["fleet": fleet.fleet, "device": device])
                    if output.json { return try CommandOutput.json(["removed": device]) }
                    CommandOutput.line("\(device) is not registered in \(fleet.fleet) any more")
                }
            }
        }
    }

    fileprivate static func show(_ found: API.Registration, json: Bool) throws {
        if json { return try CommandOutput.json(found) }
        CommandOutput.pairs([
            ("device", found.device), ("enrolled", found.isEnrolled ? "yes" : "no"),
            ("key SHA-256", found.keySHA256 ?? "any"), ("IDevID SHA-256", found.idevidSHA256 ?? "any"),
            ("since", CommandOutput.time(found.createdAt)), ("changed", CommandOutput.time(found.changedAt)),
        ])
    }
}
