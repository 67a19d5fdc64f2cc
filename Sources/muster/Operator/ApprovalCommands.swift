import ArgumentParser
import Foundation
import OperatorAPI

/// `muster approval`: devices that wait for an operator's word.
struct ApprovalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approval",
        abstract: "Approve or reject devices that wait.",
        discussion: CommandStatus.explanation,
        subcommands: [List.self, Show.self, Approve.self, Reject.self]
    )

    /// Which device: by its name, if one request of it waits, or by the request's number.
    struct Target: ParsableArguments {
        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @Argument(help: "The DeviceID, or the number that `approval list` shows.") var device: String

        func find(_ client: OperatorClient) async throws -> API.Approval {
            let names = ["fleet": fleet.fleet]
            if device.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
                do {
                    return try await client.read(
                        API.Approval.self,
                        .getApproval,
                        names.merging(["approval": device]) { $1 }
                    )
                } catch let problem as API.Problem where problem.status == 404 || problem.status == 400 {
                    // A DeviceID may be a number, too.
                }
            }
            var listing = ListingOptions()
            listing.all = true
            let pending = try await listing.items(
                API.Approval.self,
                from: client,
                .listApprovals,
                names,
                query: [("state", "pending")]
            )
            var found = pending.items.filter { $0.device == device }
            if found.isEmpty {
                found = try await listing.items(API.Approval.self, from: client, .listApprovals, names).items
                    .filter { $0.device == device }
            }
            guard let last = found.last else {
                throw CommandFailure(.refused, "no request of a device \(device) waits in \(fleet.fleet)")
            }
            guard found.count == 1 || last.state != "pending" else {
                throw CommandFailure(
                    .refused,
                    "\(found.count) requests of \(device) wait, each with another key",
                    faults: found.map { "\($0.id): key \($0.keySHA256), from \($0.source)" },
                    hint: "name one by its number"
                )
            }
            return last
        }

        func decide(_ operation: OperatorOperation, comment: String?) async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    let found = try await find(client)
                    let decided = try await client.write(
                        API.Approval.self,
                        operation,
                        ["fleet": fleet.fleet, "approval": "\(found.id)"],
                        body: API.Comment(comment: comment)
                    )
                    if output.json { return try CommandOutput.json(decided) }
                    CommandOutput.line("\(decided.device) with key \(decided.keySHA256) is \(decided.state)")
                }
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List those that wait, oldest first; with --state also those that were decided."
        )

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var fleet: FleetOption
        @OptionGroup var output: OutputOptions
        @OptionGroup var listing: ListingOptions
        @Option(
            help: "pending, approved, rejected or all.",
            completion: .list(["pending", "approved", "rejected", "all"])
        )
        var state: String = "pending"

        func run() async throws {
            try await operating {
                try await OperatorClient.with(connection) { client in
                    try await listing.show(
                        API.Approval.self,
                        from: client,
                        .listApprovals,
                        ["fleet": fleet.fleet],
                        query: [("state", state == "all" ? nil : state)],
                        json: output.json,
                        columns: [
                            ("NUMBER", { "\($0.id)" }), ("DEVICE", { $0.device }), ("STATE", { $0.state }),
                            ("KIND", { $0.kind }), ("ANCHOR", { CommandOutput.text($0.anchor) }),
                            ("KEY", { CommandOutput.short($0.keySHA256) }), ("FROM", { $0.source }),
                            ("SINCE", { CommandOutput.time($0.requestedAt) }),
                        ]
                    )
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show what a device asks for.")

        @OptionGroup var target: Target

        private static func words(_ kind: String) -> String {
            switch kind {
            case "first": "first enrollment"
            case "key-change": "another key"
            case "reenrollment": "a new key after it was revoked"
            default: kind
            }
        }

        func run() async throws {
            try await operating {
                try await OperatorClient.with(target.connection) { client in
                    let found = try await target.find(client)
                    if target.output.json { return try CommandOutput.json(found) }
                    CommandOutput.pairs([
                        ("number", "\(found.id)"), ("device", found.device), ("state", found.state),
                        ("kind", Self.words(found.kind)),
                        ("key SHA-256", found.keySHA256), ("anchor", found.anchor),
                        ("credential", found.credentialSHA256), ("its subject", found.credentialSubject),
                        ("from", found.source), ("since", CommandOutput.time(found.requestedAt)),
                        ("decided", found.decidedAt.map { CommandOutput.time($0) }), ("by", found.decidedBy),
                        ("comment", found.comment),
                    ])
                }
            }
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "approve",
            abstract: "Let a device in with the key that it asked with; it gets its certificate when it comes again."
        )

        @OptionGroup var target: Target
        @Option(help: "Why.") var comment: String?

        func run() async throws { try await target.decide(.approve, comment: comment) }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reject",
            abstract: "Refuse a device with the key that it asked with."
        )

        @OptionGroup var target: Target
        @Option(help: "Why.") var comment: String?

        func run() async throws { try await target.decide(.reject, comment: comment) }
    }
}
