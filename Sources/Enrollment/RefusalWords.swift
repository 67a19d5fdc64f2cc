import PKI

/// The words for refusals: one case a reason, each with what an operator or the device's maker can do.
struct RefusalWords {
    typealias Words = (summary: String, remedy: AttemptExplanation.Remedy?)

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

    func words(_ reason: RefusalReason) -> Words {
        switch reason {
        case .requestUnreadable:
            return words(
                "\(who) sent something that is no PKCS#10 request",
                "Mend the device's software: the body is the request's DER in base64, without PEM lines."
            )
        case .requestTooLarge:
            return words("\(who) sent a request that is too large", "Let the device ask without needless attributes.")
        case .mediaTypeNotAccepted:
            return words(
                "\(who) sent a body of another type than EST's",
                "Let the device send Content-Type: application/pkcs10."
            )
        case .keyNotAccepted:
            return words(
                "\(who) asked with a kind of key that \(fleet) does not accept",
                "Let the device make a key of another kind, or add its kind to keys in the fleet's profile.",
                applied
            )
        case .signatureInvalid:
            return words(
                "\(who) sent a request that its own key did not sign",
                "Let the device sign the request with the private key that belongs to it."
            )
        case .authorityRequested:
            return words(
                "\(who) asked to become a CA",
                "Devices are never CAs. Let it ask without basicConstraints, keyCertSign and cRLSign; if nobody set that "
                    + "up, look at who holds its credential."
            )
        case .subjectMismatch:
            return words(
                "\(who) asked for the name of another device",
                "Let the device ask with its own name in the subject, or with an empty one."
            )
        case .namesNotAllowed:
            return words(
                "\(who) asked for alternative names that it may not have",
                "Let the device ask without subjectAltName, or in a renewal with just those of its certificate."
            )
        case .keyOfAnotherDevice:
            return words(
                "\(who) came with a key that belongs to another device",
                "Let the device make a key of its own. Devices that were cloned from one image share a key: look for others."
            )
        case .keyOfAuthority:
            return words(
                "\(who) came with the key of a CA or of the server",
                "Let the device make a key of its own. If it holds that private key, the CA must be replaced."
            )
        case .keyOfBootstrapCredential:
            return words(
                "\(who) came with the key of its bootstrap credential",
                "Let the device make a new key for its operational certificate."
            )
        case .clientCertificateRequired:
            return words(
                "\(who) showed no certificate",
                "Let the device connect with its bootstrap certificate, or to renew, with its operational one."
            )
        case .certificateNotTrusted:
            return words(
                "\(who) came with a certificate that chains to no CA of \(fleet)",
                "If its CA should be accepted, add it as an anchor: compare with those that are. Otherwise the device "
                    + "is at the wrong fleet, or sends its chain without the CAs between.",
                ofFleet("anchor list")
            )
        case .certificateNotValid:
            return words(
                "\(who) came with a certificate that is not valid",
                "See the detail. An expired operational certificate is replaced by enrolling anew with the bootstrap "
                    + "credential; a bootstrap credential by its maker."
            )
        case .bootstrapCredentialRequired:
            return words(
                "\(who) came to simpleenroll with an operational certificate",
                "Let the device renew at simplereenroll, or enroll with its bootstrap credential."
            )
        case .deviceIDMissing:
            return words(
                "\(who) came with a credential that does not say which device it is, by the rule of \(anchor)",
                "With a claim, the request's common name must be the DeviceID. With an IDevID, compare its names with "
                    + "the anchor's deviceID rule, and choose the rule that fits.",
                entry.credentialKind == Attempt.CredentialKind.claim.rawValue ? nil : applied
            )
        case .deviceHasAnotherKey:
            return words(
                "\(who) is enrolled with another key, and \(anchor) does not let its credentials replace keys",
                "If the device was reset, let its anchor's keyChange be approve, so that you see each such device; its "
                    + "IDevID, or its operational certificate, may do too.",
                applied
            )
        case .deviceOfAnotherAnchor:
            return words(
                "\(who) came with the IDevID of another manufacturer than the one that proved it before",
                "Two manufacturers use one name, or somebody claims to be the device. Give one of the two another name."
            )
        case .certificateUnknown:
            return words(
                "\(who) came to renew a certificate whose device is not in the record",
                "The record may have been restored from an older copy. Let the device enroll with its bootstrap credential."
            )
        case .certificateSuperseded:
            return words(
                "\(who) came to renew a certificate that was replaced already",
                "Let the device use its newest certificate. If it has lost that, let it enroll with its bootstrap "
                    + "credential; if it has not, look at who else holds the older key."
            )
        case .certificateRevoked:
            return words(
                "\(who) came with a certificate or a key that was revoked",
                "A revoked key stays refused. If the device is to serve again, let it make a new key and enroll anew."
            )
        case .deviceRevoked:
            return words(
                "\(who) was revoked by an operator, and came to enroll again",
                "If it may serve again, clear it: it gets in with a new key. Where the fleet's reenrollment is never, that "
                    + "must be changed too.",
                of(entry.device, "device clear")
            )
        case .deviceHeld:
            return words(
                "\(who) is on hold by an operator",
                "Release it when it is to serve again. If it is not, revoke it for good.",
                of(entry.device, "device release")
            )
        case .anchorBlocked:
            return words(
                "\(who) came by \(anchor), which an operator blocked",
                "Unblock the anchor when its credentials are to be accepted again.",
                of(entry.anchor, "anchor unblock")
            )
        case .credentialBlocked:
            return words(
                "\(who) came with a bootstrap credential that an operator blocked",
                "Unblock the credential when it is to be accepted again.",
                of(credential, "credential unblock")
            )
        case .outsideValidityWindow: return window()
        case .deviceNotRegistered:
            return words(
                "\(who) is not registered in \(fleet), which admits only devices that are",
                "Register the device, if it is one of yours. The next time it comes, it is let in.",
                of(entry.device, "registration add")
            )
        case .keyNotRegistered:
            return words(
                "\(who) is registered with another public key than it came with",
                "If the key that it came with is the device's, register that. " + Self.replacesRegistration,
                pinned(includingIDevID: isIDevID)
            )
        case .idevidNotRegistered:
            return words(
                "\(who) is registered with another IDevID than it came with",
                "If what it came with is the device's, register that; a claim can never stand for an IDevID, so for one "
                    + "the command asks for none. " + Self.replacesRegistration,
                pinned(includingIDevID: isIDevID)
            )
        case .credentialDeviceLimit:
            return words(
                "\(who) is new, and its bootstrap credential has let in as many devices as it may",
                "If more devices share it rightly, give it a higher limit N. If not, block it. "
                    + Self.marked,
                limited { $0.option("devices", "N") }
            )
        case .credentialRateLimit:
            return words(
                "\(who) is new, and its bootstrap credential has let in as many devices within the hour as it may",
                "The device gets in when the hour is over. If so many are right, give it higher limits N. "
                    + Self.marked,
                limited { $0.option("devices", "N").option("per-hour", "N") }
            )
        case .anchorDeviceLimit:
            return words(
                "\(who) is new, and \(anchor) has let in as many devices as it may",
                "If more devices are right, raise devices in the anchor's limits. " + Self.marked,
                applied
            )
        case .anchorRateLimit:
            return words(
                "\(who) is new, and \(anchor) has let in as many devices within the hour as it may",
                "The device gets in when the hour is over. If so many are right, raise devicesPerHour in the anchor's limits. "
                    + Self.marked,
                applied
            )
        case .approvalRejected:
            return words(
                "\(who) was rejected with this key by an operator",
                "If that was wrong, approve it: a decision can be changed.",
                of(entry.device, "approval approve")
            )
        case .approvalQueueFull:
            return words(
                "\(who) needs approval, and too many devices of \(fleet) wait for it already",
                "Approve or reject those that wait. If they are not yours, block the credential that they come with.",
                ofFleet("approval list")
            )
        }
    }

    private static let replacesRegistration =
        "The command says all that the registration is to say: leave out what is to stay open."

    private static let marked = "The credential is marked until you clear it (muster credential clear)."

    /// The anchor's window is judged first, and the detail begins with whose it is.
    private func window() -> Words {
        let isAnchors = entry.detail?.hasPrefix("the anchor ") == true
        return words(
            "\(who) came at a time at which \(isAnchors ? anchor : "its bootstrap credential") is not accepted",
            isAnchors
                ? "If it is to be accepted now, change validFrom and validUntil in the anchor's limits. " + Self.marked
                : "If it is to be accepted now, give it a window of its own until T, and its number of devices N. "
                    + Self.marked,
            isAnchors ? applied : limited { $0.option("devices", "N").option("valid-until", "T") }
        )
    }

    private func words(_ summary: String, _ text: String, _ command: String? = nil) -> Words {
        (summary, AttemptExplanation.Remedy(text: text, command: command))
    }

    private var credential: String? { entry.credentialSHA256.map(Hex.text) }
    private var isIDevID: Bool { entry.credentialKind == Attempt.CredentialKind.idevid.rawValue }
    private var applied: String { OperatorCommand("fleet apply", "FILE").text }

    private func ofFleet(_ verb: String) -> String? {
        entry.fleet.map { OperatorCommand(verb).option("fleet", $0).text }
    }

    private func of(_ argument: String?, _ verb: String) -> String? {
        guard let argument, let fleet = entry.fleet else { return nil }
        return OperatorCommand(verb, argument).option("fleet", fleet).text
    }

    private func limited(_ options: (OperatorCommand) -> OperatorCommand) -> String? {
        guard let credential, let fleet = entry.fleet else { return nil }
        return options(OperatorCommand("credential limit", credential).option("fleet", fleet)).text
    }

    private func pinned(includingIDevID: Bool) -> String? {
        guard let device = entry.device, let fleet = entry.fleet else { return nil }
        return OperatorCommand("registration add", device)
            .option("fleet", fleet)
            .option("key-sha256", entry.publicKeySHA256.map(Hex.text))
            .option("idevid-sha256", includingIDevID ? credential : nil)
            .text
    }
}
