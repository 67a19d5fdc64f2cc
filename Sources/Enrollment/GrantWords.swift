/// The words for attempts that were granted, or wait for an operator.
struct GrantWords {
    private let entry: AttemptEntry
    private let who: String
    private let fleet: String
    private let anchor: String

    init(_ entry: AttemptEntry) {
        self.entry = entry
        who = AttemptWords.subject(entry)
        fleet = AttemptWords.fleet(entry)
        anchor = AttemptWords.anchor(entry)
    }

    /// A certificate was sent. Nothing is to be done but where a rule let in what an operator may want to look at.
    func granted() -> (String, AttemptExplanation.Remedy?) {
        switch entry.rule {
        case "open-first":
            return ("\(who) got its first certificate: \(fleet) admits every device that \(anchor) vouches for", nil)
        case "allowlist-first":
            return ("\(who) got its first certificate: it is registered in \(fleet), and \(anchor) vouches for it", nil)
        case "approved-first":
            return ("\(who) got its first certificate: an operator approved it with this key", nil)
        case "idevid-replaces":
            return (
                "\(who) got a certificate for a new key: it came with its IDevID, and \(anchor) lets that replace keys",
                .init(text: "If nobody reset the device or replaced its key, look at who holds its IDevID.")
            )
        case "claim-replaces":
            return (
                "\(who) got a certificate for a new key: it came with a claim, and \(anchor) lets claims replace keys",
                .init(
                    text: """
                        Whoever holds the claim can do this to any device of the fleet. If that is not wanted, set the \
                        anchor's keyChange to approve or refuse.
                        """,
                    command: applied()
                )
            )
        case "same-key":
            return ("\(who) asked again with the same key and was sent the certificate that it has already", nil)
        case "same-key-expired":
            return ("\(who) got a new certificate for the key that it had: the one before has expired", nil)
        case "renew": return ("\(who) renewed its certificate with the same key", nil)
        case "rekey": return ("\(who) renewed its certificate with a new key", nil)
        case "rekey-unsaved":
            return (
                "\(who) renewed once more, with another new key: it never used the certificate of its last renewal",
                .init(
                    text: """
                        Once is what a loss of power leaves. If it comes again and again, the device does not save its \
                        new key and certificate before it uses them.
                        """
                )
            )
        case "approved-key-change":
            return ("\(who) got a certificate for a new key: an operator approved this key", nil)
        case "approved-reenrollment":
            return ("\(who) was revoked and got a certificate for a new key: an operator approved this key", nil)
        case "cleared":
            return ("\(who) was revoked and got a certificate for a new key: an operator had cleared it", nil)
        default:
            return ("\(who) got a certificate, by a rule that this version of muster does not know", nil)
        }
    }

    /// The device waits.
    func pending() -> (String, AttemptExplanation.Remedy?) {
        let text = "Compare the key's SHA-256 with the device's, then approve or reject it. The device comes again."
        let remedy = AttemptExplanation.Remedy(text: text, command: approved())
        switch entry.rule {
        case "approval-first":
            return (
                "\(who) is new and waits for approval: \(fleet) admits only devices that an operator approves", remedy
            )
        case "approval-key-change":
            return (
                "\(who) is enrolled, came with a different key and waits for approval, as \(anchor) demands it",
                remedy
            )
        case "approval-reenrollment":
            return (
                "\(who) was revoked, came with a new key and waits for approval, as \(fleet) demands it", remedy
            )
        default:
            return ("\(who) waits for approval, by a rule that this version of muster does not know", remedy)
        }
    }

    private func approved() -> String? {
        guard let device = entry.device, let fleet = entry.fleet else { return nil }
        return OperatorCommand("approval approve", device).option("fleet", fleet).text
    }

    private func applied() -> String { OperatorCommand("fleet apply", "FILE").text }
}
