import ArgumentParser
import Foundation
import OperatorAPI

/// `muster credential`: bootstrap credentials, watched, limited and blocked one by one.
struct CredentialCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credential",
        abstract: "Watch, limit and block single bootstrap credentials.",
        discussion: CommandStatus.explanation,
        subcommands: [List.self, Show.self, Block.self, Unblock.self, Clear.self, Limit.self]
    )

    /// Which credential.
    struct Target: ParsableArguments {
        @Argument(help: "SHA-256 of the credential's certificate.") var credential: String?
        @Option(help: "The certificate itself, in PEM.", completion: .file()) var certificate: String?

        func validate() throws {
            guard (credential == nil) != (certificate == nil) else {
                throw ValidationError("name the credential by its SHA-256, or by --certificate FILE")
            }
        }

        func sha256() throws -> String {
            try certificate.map { try PEMFingerprint.certificate($0) } ?? (credential ?? "").lowercased()
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List credentials that a batch shares, and those that were marked, limited or blocked."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions
        @Flag(help: "Those that came up against a limit.") var marked = false
        @Flag(help: "Those that are blocked.") var blocked = false

        func validate() throws {
            if marked, blocked { throw ValidationError("give --marked or --blocked, not both") }
        }

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.Credential.self,
                        from: client,
                        .listCredentials,
                        ["fleet": fleet.fleet],
                        query: [("state", marked ? "marked" : blocked ? "blocked" : nil)],
                        json: output.json,
                        columns: [
                            ("CREDENTIAL", { $0.sha256 }),
                            ("STATE", { $0.block != nil ? "blocked" : $0.mark != nil ? "marked" : "accepted" }),
                            ("ANCHOR", { CommandOutput.text($0.anchor) }), ("DEVICES", { "\($0.devices)" }),
                            ("LAST HOUR", { "\($0.devicesLastHour)" }),
                            ("MARK", { CommandOutput.text($0.mark?.reason) }),
                            ("SUBJECT", { CommandOutput.text($0.subject) }),
                        ]
                    )
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a credential.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @OptionGroup var target: Target

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let names = ["fleet": fleet.fleet, "credential": try target.sha256()]
                    let found = try await client.read(API.Credential.self, .getCredential, names)
                    try CredentialCommand.show(found, json: output.json)
                }
            }
        }
    }

    struct Block: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "block",
            abstract: "Accept a credential no more, from the next request on; also one that was never seen."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @OptionGroup var target: Target
        @Option(help: "Why.") var comment: String?

        func run() async throws {
            let body = API.Comment(comment: comment)
            try await CredentialCommand.change(.blockCredential, target, fleet, connection, body, output)
        }
    }

    struct Unblock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "unblock", abstract: "Accept a credential again.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @OptionGroup var target: Target

        func run() async throws {
            try await CredentialCommand.change(.unblockCredential, target, fleet, connection, nil, output)
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "clear",
            abstract: "Take the mark off a credential that came up against a limit."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @OptionGroup var target: Target

        func run() async throws {
            try await CredentialCommand.change(.clearCredential, target, fleet, connection, nil, output)
        }
    }

    struct Limit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "limit",
            abstract: "Give a credential limits of its own, in place of its anchor's.",
            discussion: "All of its own limits are replaced by those given; what is not given follows the anchor."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @OptionGroup var target: Target
        @Option(help: "New devices in all.") var devices: Int64?
        @Option(help: "New devices an hour.") var perHour: Int64?
        @Option(help: "Accepted from this time on (2027-01-31T12:00:00Z).") var validFrom: String?
        @Option(help: "Accepted until this time.") var validUntil: String?
        @Flag(help: "None of its own.") var none = false

        func validate() throws {
            let isGiven = devices != nil || perHour != nil || validFrom != nil || validUntil != nil
            guard isGiven != none else { throw ValidationError("give limits, or --none") }
        }

        func run() async throws {
            try await operating {
                let limits = API.Limits(
                    devices: devices,
                    devicesPerHour: perHour,
                    validFrom: try time(validFrom, "--valid-from"),
                    validUntil: try time(validUntil, "--valid-until")
                )
                try await OperatorClient.with(connection) { client in
                    let names = ["fleet": fleet.fleet, "credential": try target.sha256()]
                    let found = try await client.write(API.Credential.self, .limitCredential, names, body: limits)
                    try CredentialCommand.show(found, json: output.json)
                }
            }
        }

        private func time(_ text: String?, _ option: String) throws -> Date? {
            guard let text else { return nil }
            guard let time = TimeText.parse(text) else {
                throw CommandFailure(.usage, "\(option) takes a time such as 2027-01-31T12:00:00Z")
            }
            return time
        }
    }

    private static func change(
        _ operation: OperatorOperation,
        _ target: Target,
        _ fleet: FleetOption,
        _ connection: ConnectionOptions,
        _ body: API.Comment?,
        _ output: OutputOptions
    ) async throws {
        try await operating {
            try await OperatorClient.with(connection) { client in
                let names = ["fleet": fleet.fleet, "credential": try target.sha256()]
                try show(await client.write(API.Credential.self, operation, names, body: body), json: output.json)
            }
        }
    }

    private static func show(_ found: API.Credential, json: Bool) throws {
        if json { return try CommandOutput.json(found) }
        CommandOutput.pairs([
            ("credential", found.sha256), ("state", BlockText.words(found.block, otherwise: "accepted")),
            ("marked", found.mark.map { "\(CommandOutput.time($0.at)): \($0.reason)" }), ("kind", found.kind),
            ("subject", found.subject), ("anchor", found.anchor), ("devices", "\(found.devices)"),
            ("in the last hour", "\(found.devicesLastHour)"), ("own limits", FleetText.words(found.limits)),
            ("first seen", CommandOutput.time(found.firstSeenAt)), ("last seen", CommandOutput.time(found.lastSeenAt)),
        ])
    }
}
