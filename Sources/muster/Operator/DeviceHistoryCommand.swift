import ArgumentParser
import Foundation
import OperatorAPI

/// `muster device history`: all that happened to a device, from its attempts and from the audit log.
struct DeviceHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract:
            "Tell what happened to a device, newest first: what it asked for, and what was done to it, by whom and why.",
        discussion:
            "Also of a device that never got in. Attempts are kept for limits.attemptsKeptMonths, the rest for good."
    )

    /// Something that happened.
    struct Event: Codable, Sendable {
        var at: Date
        /// `enroll`, `renew` and the like, or the audit log's action.
        var what: String
        /// The outcome of what it asked for.
        var outcome: String?
        /// The reason of a refusal, or the rule by which it was decided; or what the audit log says.
        var detail: String
        /// An operator, or the address that asked.
        var by: String
        /// The Request-Id of what it asked for, for `muster attempt show`.
        var request: String?
    }

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var fleet: FleetOption
    @OptionGroup var output: OutputOptions
    @OptionGroup var listing: ListingOptions
    @Argument(help: "The DeviceID.") var device: String

    func run() async throws {
        try await operating {
            try await OperatorClient.with(connection) { client in
                let (attempts, hasMoreAttempts) = try await listing.items(
                    API.Attempt.self,
                    from: client,
                    .listAttempts,
                    query: [("fleet", fleet.fleet), ("device", device)]
                )
                let (entries, hasMoreEntries) = try await listing.items(
                    API.AuditEntry.self,
                    from: client,
                    .listAudit,
                    query: [("subject", "\(device)@\(fleet.fleet)")]
                )
                guard !attempts.isEmpty || !entries.isEmpty else {
                    throw CommandFailure(
                        .refused,
                        "nothing is known of a device \(device) in the fleet \(fleet.fleet)",
                        hint: "muster device list --fleet \(fleet.fleet) --prefix … finds names that begin so"
                    )
                }
                let all = Self.merge(attempts, entries)
                let events = Array(listing.all ? all[...] : all.prefix(listing.limit))
                try show(events, isCut: hasMoreAttempts || hasMoreEntries || events.count < all.count)
            }
        }
    }

    /// Newest first. The audit log's entry of an issuance says nothing that its attempt does not.
    static func merge(_ attempts: [API.Attempt], _ entries: [API.AuditEntry]) -> [Event] {
        let asked = attempts.map { attempt in
            Event(
                at: attempt.at,
                what: attempt.operation,
                outcome: attempt.outcome,
                detail: [attempt.reason ?? attempt.rule, attempt.serialNumber.map { "serial \($0)" }]
                    .compactMap(\.self).joined(separator: ", "),
                by: attempt.source,
                request: attempt.id.uuidString.lowercased()
            )
        }
        let known = Set(attempts.compactMap(\.serialNumber))
        let done = entries.filter { entry in
            entry.action != "certificate.issued" || !known.contains { entry.detail.contains($0) }
        }.map { entry in
            Event(at: entry.at, what: entry.action, outcome: nil, detail: entry.detail, by: entry.actor, request: nil)
        }
        return (asked + done).sorted { $0.at > $1.at }
    }

    private func show(_ events: [Event], isCut: Bool) throws {
        if output.json { return try CommandOutput.json(events) }
        var table = TextTable(headers: ["AT", "WHAT", "OUTCOME", "BY", "DETAIL"])
        table.rows = events.map {
            [CommandOutput.time($0.at), $0.what, CommandOutput.text($0.outcome), $0.by, $0.detail]
        }
        table.show()
        if isCut { CommandOutput.note("there is more: --all, or a larger --limit, shows it") }
    }
}
