import ArgumentParser
import OperatorAPI

/// `muster revocation`: revocations of many devices that wait for a second operator.
struct RevocationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revocation",
        abstract: "Approve what another operator asks to revoke beyond the limit by the hour.",
        discussion: CommandStatus.explanation,
        subcommands: [List.self, Show.self, Approve.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List requests, oldest first.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.RevocationRequest.self,
                        from: client,
                        .listRevocationRequests,
                        ["fleet": fleet.fleet],
                        json: output.json,
                        columns: [
                            ("NUMBER", { "\($0.id)" }), ("STATE", { $0.state }), ("DEVICES", { "\($0.devices)" }),
                            ("LEFT", { "\($0.left)" }), ("REASON", { $0.reason }), ("BY", { $0.requestedBy }),
                            ("SINCE", { CommandOutput.time($0.requestedAt) }),
                            ("APPROVED BY", { CommandOutput.text($0.approvedBy) }),
                        ]
                    )
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a request, with the first of its devices."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The number that `revocation list` shows.") var number: Int64

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let names = ["fleet": fleet.fleet, "request": "\(number)"]
                    let request = try await client.read(API.RevocationRequest.self, .getRevocationRequest, names)
                    if output.json { return try CommandOutput.json(request) }
                    CommandOutput.pairs([
                        ("number", "\(request.id)"), ("state", request.state), ("devices", "\(request.devices)"),
                        ("not revoked yet", "\(request.left)"), ("such as", request.sample.joined(separator: ", ")),
                        ("reason", request.reason), ("comment", request.comment), ("by", request.requestedBy),
                        ("since", CommandOutput.time(request.requestedAt)), ("approved by", request.approvedBy),
                        ("until", CommandOutput.time(request.expiresAt)),
                    ])
                }
            }
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "approve",
            abstract: "Let the operator who asked revoke just these devices, for just this reason, within a day."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The number that `revocation list` shows.") var number: Int64

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let names = ["fleet": fleet.fleet, "request": "\(number)"]
                    let request = try await client.write(
                        API.RevocationRequest.self,
                        .approveRevocations,
                        names,
                        body: nil
                    )
                    if output.json { return try CommandOutput.json(request) }
                    CommandOutput.line(
                        "\(request.requestedBy) may revoke \(request.left) devices for \(request.reason)"
                    )
                }
            }
        }
    }
}
