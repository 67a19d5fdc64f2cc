import PKI

/// An attempt in plain words: what happened and by which rule, what shows it, and what to do. What strangers wrote
/// stands in the evidence alone, never in the words or the command.
package struct AttemptExplanation: Hashable, Sendable {
    /// One fact that the attempt left.
    package struct Evidence: Hashable, Sendable {
        package let label: String
        /// One line; hexadecimal digits where it is octets.
        package let value: String

        package init(label: String, value: String) {
            self.label = label
            self.value = value
        }
    }

    /// What mends it.
    package struct Remedy: Hashable, Sendable {
        package let text: String
        /// The command that does it, fit for a shell, where an operator can. `N`, `T` (a time) and `FILE` in it are the
        /// operator's to choose.
        package let command: String?

        package init(text: String, command: String? = nil) {
            self.text = text
            self.command = command
        }
    }

    package let summary: String
    package let evidence: [Evidence]
    package let remedy: Remedy?

    private static let valueLengthMax = 512

    package init(_ entry: AttemptEntry) {
        let words = AttemptWords(entry)
        summary = "\(words.summary) (rule \(AttemptWords.name(entry.reason ?? entry.rule)))."
        remedy = words.remedy
        let facts: [(label: String, value: String?)] = [
            ("rule", entry.reason ?? entry.rule),
            ("stage", entry.stage),
            ("fleet", entry.fleet),
            ("device", entry.device),
            ("operation", entry.operation),
            ("source address", entry.source),
            ("credential", entry.credentialKind),
            ("credential's subject", entry.credentialSubject),
            ("credential's SHA-256", entry.credentialSHA256.map(Hex.text)),
            ("anchor", entry.anchor),
            ("public key's SHA-256", entry.publicKeySHA256.map(Hex.text)),
            ("issuer", entry.issuer),
            ("serial number", entry.serialNumber.map(Hex.text)),
            ("detail", entry.detail),
        ]
        evidence = facts.compactMap { fact in
            fact.value.map { Evidence(label: fact.label, value: $0.plain(max: Self.valueLengthMax)) }
        }
    }
}

/// The words for an attempt. A newer server may have kept codes that this one does not know; it says so of them.
struct AttemptWords {
    let summary: String
    let remedy: AttemptExplanation.Remedy?

    private static let nameLengthMax = 64

    init(_ entry: AttemptEntry) {
        switch Attempt.Outcome(rawValue: entry.outcome) {
        case .refused:
            if let reason = entry.reason.flatMap({ RefusalReason(rawValue: $0) }) {
                (summary, remedy) = RefusalWords(entry).words(reason)
            } else {
                summary = "\(Self.subject(entry)) was refused, for a reason that this version of muster does not know"
                remedy = .init(text: "Read the detail, or ask with a muster as new as the server that refused it.")
            }
        case .pending: (summary, remedy) = GrantWords(entry).pending()
        case .issued, .repeated: (summary, remedy) = GrantWords(entry).granted()
        case nil:
            summary = "\(Self.subject(entry)) had an outcome that this version of muster does not know"
            remedy = .init(text: "Ask with a muster as new as the server that kept this attempt.")
        }
    }

    /// The device, as a sentence begins.
    static func subject(_ entry: AttemptEntry) -> String { entry.device.map { "The device \(name($0))" } ?? "A device" }

    /// The fleet, within a sentence.
    static func fleet(_ entry: AttemptEntry) -> String { entry.fleet.map { "the fleet \(name($0))" } ?? "its fleet" }

    /// The anchor, within a sentence.
    static func anchor(_ entry: AttemptEntry) -> String {
        entry.anchor.map { "the anchor \(name($0))" } ?? "its anchor"
    }

    /// A name of the record, fit for a sentence.
    static func name(_ text: String) -> String { text.isEmpty ? "unknown" : text.plain(max: nameLengthMax) }
}
