import ArgumentParser
import Foundation
import OperatorAPI

/// `muster attempt`: every try to enroll, and why it went as it did.
struct AttemptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attempt",
        abstract: "List enrollment attempts, and explain them in words.",
        discussion: CommandStatus.explanation,
        subcommands: [List.self, Show.self]
    )

    /// Which attempts.
    struct Selection: ParsableArguments {
        @Option(help: "Of this fleet.") var fleet: String?
        @Option(help: "Of this device.") var device: String?
        @Option(
            help: "issued, repeated, pending or refused.",
            completion: .list(["issued", "repeated", "pending", "refused"])
        )
        var outcome: String?
        @Option(help: "Refused for this reason, such as device-not-registered.") var reason: String?
        @Option(help: "With this bootstrap credential (SHA-256).") var credential: String?
        @Option(help: "At or after this time (2027-01-31T12:00:00Z).") var from: String?
        @Option(help: "Before this time.") var until: String?

        var query: [(String, String?)] {
            [
                ("fleet", fleet), ("device", device), ("outcome", outcome), ("reason", reason),
                ("credential", credential), ("from", from), ("until", until),
            ]
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List attempts, newest first.")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var selection: Selection
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.Attempt.self,
                        from: client,
                        .listAttempts,
                        query: selection.query,
                        json: output.json,
                        columns: [
                            ("AT", { CommandOutput.time($0.at) }), ("FLEET", { CommandOutput.text($0.fleet) }),
                            ("DEVICE", { CommandOutput.text($0.device) }), ("OUTCOME", { $0.outcome }),
                            ("REASON OR RULE", { $0.reason ?? $0.rule }),
                            ("REQUEST", { $0.id.uuidString.lowercased() }),
                        ]
                    )
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Explain an attempt: what happened, by which rule, on what evidence, and what to do.",
            discussion: "By the Request-Id that the device was answered with; or the newest that a selection finds."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var selection: Selection
        @OptionGroup var output: OutputOptions
        @Argument(help: "The Request-Id of the answer.") var request: String?

        func validate() throws {
            if request == nil, selection.query.allSatisfy({ $0.1 == nil }) {
                throw ValidationError("give a Request-Id, or a selection such as --fleet F --device D")
            }
        }

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let attempt = try await find(client)
                    if output.json { return try CommandOutput.json(attempt) }
                    let explanation = attempt.explanation
                    CommandOutput.line(explanation.summary)
                    CommandOutput.line("")
                    CommandOutput.pairs(
                        [
                            ("request", attempt.id.uuidString.lowercased()), ("at", CommandOutput.time(attempt.at)),
                            ("outcome", attempt.reason.map { "\(attempt.outcome), \($0)" } ?? attempt.outcome),
                        ] + explanation.evidence.map { ($0.label, $0.value) }
                    )
                    if let remedy = explanation.remedy { CommandOutput.line("\n\(remedy)") }
                    if let command = explanation.command { CommandOutput.line("  \(command)") }
                }
            }
        }

        private func find(_ client: OperatorClient) async throws -> API.Attempt {
            if let request { return try await client.read(API.Attempt.self, .getAttempt, ["attempt": request]) }
            let page = try await client.read(
                API.Page<API.Attempt>.self,
                .listAttempts,
                query: selection.query + [("limit", "1")]
            )
            guard let first = page.items.first else { throw CommandFailure(.refused, "there is no such attempt") }
            return first
        }
    }
}
