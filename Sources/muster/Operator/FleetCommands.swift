import ArgumentParser
import Foundation
import OperatorAPI

/// `muster fleet`: fleets, described by a file.
struct FleetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fleet",
        abstract: "Describe fleets: policy, certificates, bootstrap anchors, limits.",
        discussion: CommandStatus.explanation,
        subcommands: [List.self, Show.self, Apply.self, Agents.self, Example.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List fleets.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.FleetSummary.self,
                        from: client,
                        .listFleets,
                        json: output.json,
                        columns: [
                            ("FLEET", { $0.fleet }), ("POLICY", { $0.policy }), ("ISSUER", { $0.issuer }),
                            ("ANCHORS", { $0.anchors.joined(separator: ", ") }),
                        ]
                    )
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a fleet's description, with all that holds by default."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The fleet's name.") var fleet: String

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let found = try await client.read(FleetDescription.self, .getFleet, ["fleet": fleet])
                    if output.json { return try CommandOutput.json(found) }
                    CommandOutput.line(FleetText.yaml(found))
                }
            }
        }
    }

    struct Agents: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "agents",
            abstract:
                "List the agents beside a fleet's brokers and gateways: what is in force there, as they last reported."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions
        @Argument(help: "The fleet's name.") var fleet: String

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.Agent.self,
                        from: client,
                        .listAgents,
                        ["fleet": fleet],
                        json: output.json,
                        columns: [
                            ("AGENT", { $0.device }), ("REPORTED", { CommandOutput.time($0.reportedAt) }),
                            ("TRUST STORE", { CommandOutput.text($0.trustStoreVersion) }),
                            ("CRLS", { $0.lists.map { "\($0.number)" }.joined(separator: ", ") }),
                            ("ENDS SESSIONS", { $0.endsSessions ? "yes" : "no" }), ("FAULTS", { "\($0.faults)" }),
                        ]
                    )
                }
            }
        }
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply",
            abstract: "Make a fleet, or bring it to what a file says.",
            discussion: "Shows what differs. Anchors that the file does not name are removed. Issued certificates stay."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The description.", completion: .file(extensions: ["yaml", "yml"])) var file: String
        @Flag(help: "Only show what differs.") var dryRun = false
        @Flag(help: "End with status 2 if something differs.") var exitCode = false

        func run() async throws {
            try await operating {
                let source = try FleetFile(file)
                let change = try await OperatorClient.with(connection) { client in
                    do {
                        return try await client.write(
                            API.FleetChange.self,
                            .applyFleet,
                            ["fleet": source.description.fleet],
                            query: [("dryRun", dryRun ? "true" : nil)],
                            body: source.description
                        )
                    } catch let problem as API.Problem {
                        throw source.located(problem)
                    }
                }
                if output.json { try CommandOutput.json(change) } else { show(change) }
                if exitCode, !change.changes.isEmpty { throw ExitCode(CommandStatus.differs.rawValue) }
            }
        }

        private func show(_ change: API.FleetChange) {
            for line in change.changes {
                switch (line.from, line.to) {
                case (nil, let to): CommandOutput.line("+ \(line.path): \(to ?? "")")
                case (let from?, nil): CommandOutput.line("- \(line.path): \(from)")
                case (let from?, let to?): CommandOutput.line("~ \(line.path): \(from) -> \(to)")
                }
            }
            if change.changes.isEmpty {
                CommandOutput.line("\(change.fleet) is as the file says")
            } else if change.isApplied {
                CommandOutput.line(change.isNew ? "\(change.fleet) was made" : "\(change.fleet) was changed")
            } else {
                CommandOutput.line("nothing was done")
            }
        }
    }

    struct Example: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "example",
            abstract: "Print a description with every key explained."
        )

        func run() { CommandOutput.line(FleetText.example) }
    }
}
