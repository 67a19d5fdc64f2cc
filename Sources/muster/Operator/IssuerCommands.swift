import ArgumentParser
import Foundation
import OperatorAPI

/// `muster issuer`: the CAs that sign for fleets.
struct IssuerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "issuer",
        abstract: "Show the issuing CAs.",
        discussion: CommandStatus.explanation,
        subcommands: [List.self, Show.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List issuers by name.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.Issuer.self,
                        from: client,
                        .listIssuers,
                        json: output.json,
                        columns: [
                            ("ISSUER", { $0.name }), ("CAN SIGN", { $0.canSign ? "yes" : "no" }),
                            ("VALID UNTIL", { CommandOutput.time($0.notAfter) }), ("SUBJECT", { $0.subject }),
                            ("FLEETS", { $0.fleets.joined(separator: ", ") }),
                        ]
                    )
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show an issuer.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The issuer's name.") var issuer: String
        @Flag(help: "Print its chain as PEM instead.") var pem = false

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let found = try await client.read(API.Issuer.self, .getIssuer, ["issuer": issuer])
                    if pem { return CommandOutput.line(found.chain.trimmingCharacters(in: .newlines)) }
                    if output.json { return try CommandOutput.json(found) }
                    CommandOutput.pairs([
                        ("issuer", found.name), ("subject", found.subject),
                        ("valid until", CommandOutput.time(found.notAfter)),
                        ("can sign here", found.canSign ? "yes" : "no, this server has no key of it"),
                        ("fleets", found.fleets.joined(separator: ", ")),
                    ])
                }
            }
        }
    }
}
