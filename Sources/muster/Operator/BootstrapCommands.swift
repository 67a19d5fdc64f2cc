import ArgumentParser
import Foundation
import OperatorAPI

/// `muster anchor`: the CAs whose bootstrap credentials a fleet accepts.
struct AnchorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anchor",
        abstract: "Watch and block a fleet's bootstrap anchors; `fleet apply` adds and removes them.",
        discussion: CommandStatus.explanation,
        subcommands: [List.self, Show.self, Block.self, Unblock.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List anchors by name.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.Anchor.self,
                        from: client,
                        .listAnchors,
                        ["fleet": fleet.fleet],
                        json: output.json,
                        columns: [
                            ("ANCHOR", { $0.description.name }),
                            ("STATE", { $0.block == nil ? "accepted" : "blocked" }),
                            ("DEVICE ID", { $0.description.deviceID }), ("DEVICES", { "\($0.devices)" }),
                            ("LAST HOUR", { "\($0.devicesLastHour)" }),
                            ("LIMITS", { FleetText.words($0.description.limits) }),
                        ]
                    )
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show an anchor.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The anchor's name.") var anchor: String

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let page = try await client.read(API.Page<API.Anchor>.self, .listAnchors, ["fleet": fleet.fleet])
                    guard let found = page.items.first(where: { $0.description.name == anchor }) else {
                        throw CommandFailure(.refused, "the fleet \(fleet.fleet) has no anchor \(anchor)")
                    }
                    try AnchorCommand.show(found, json: output.json)
                }
            }
        }
    }

    struct Block: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "block",
            abstract: "Accept no bootstrap credential of an anchor, from the next request on."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The anchor's name.") var anchor: String
        @Option(help: "Why.") var comment: String?

        func run() async throws {
            try await AnchorCommand.change(
                .blockAnchor,
                anchor,
                fleet,
                connection,
                API.Comment(comment: comment),
                output
            )
        }
    }

    struct Unblock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "unblock", abstract: "Accept an anchor again.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The anchor's name.") var anchor: String

        func run() async throws {
            try await AnchorCommand.change(.unblockAnchor, anchor, fleet, connection, nil, output)
        }
    }

    private static func change(
        _ operation: OperatorOperation,
        _ anchor: String,
        _ fleet: FleetOption,
        _ connection: ConnectionOptions,
        _ body: API.Comment?,
        _ output: OutputOptions
    ) async throws {
        try await operating {
            try await OperatorClient.with(connection) { client in
                let names = ["fleet": fleet.fleet, "anchor": anchor]
                try show(await client.write(API.Anchor.self, operation, names, body: body), json: output.json)
            }
        }
    }

    private static func show(_ anchor: API.Anchor, json: Bool) throws {
        if json { return try CommandOutput.json(anchor) }
        CommandOutput.pairs([
            ("anchor", anchor.description.name), ("state", BlockText.words(anchor.block, otherwise: "accepted")),
            ("subject", anchor.subject), ("valid until", CommandOutput.time(anchor.notAfter)),
            ("DeviceID", anchor.description.uriPattern ?? anchor.description.deviceID),
            ("other key", anchor.description.keyChange), ("devices", "\(anchor.devices)"),
            ("in the last hour", "\(anchor.devicesLastHour)"), ("limits", FleetText.words(anchor.description.limits)),
            ("limits a credential", FleetText.words(anchor.description.credentialLimits)),
        ])
    }
}

/// How a block is told.
enum BlockText {
    static func words(_ block: API.Block?, otherwise: String) -> String {
        guard let block else { return otherwise }
        let why = block.comment.map { ": \($0)" } ?? ""
        return "blocked since \(CommandOutput.time(block.at)) by \(block.by)\(why)"
    }
}
