import Foundation
import PKI

/// Decides on the holder of a bootstrap credential: what was blocked, what was announced, then what the policy says of
/// a new device, or the anchor's rule of one that comes with a different key.
struct FirstEnrollmentRules {
    let identity: BootstrapIdentity
    /// SHA-256 of the request's public key.
    let key: [UInt8]
    let policy: EnrollmentPolicy
    let reenrollment: ReenrollmentPolicy
    let situation: EnrollmentSituation
    let now: Date

    private var anchor: BootstrapAnchor { identity.anchor }

    private var gate: BootstrapGate { BootstrapGate(anchor, standing: situation.standing) }

    func decide() -> EnrollmentDecision {
        if let refusal = gate.blocked() ?? gate.outsideWindow(at: now) ?? EnrollmentRules.foreignKey(situation)
            ?? EnrollmentRules.held(situation) ?? EnrollmentRules.revokedKey(situation) ?? ownKey() ?? announced()
        {
            return .refuse(refusal)
        }
        guard let device = situation.device else { return first() }
        return known(device)
    }

    private func ownKey() -> Refusal? {
        guard identity.publicKeySHA256 == key else { return nil }
        return Refusal(.keyOfBootstrapCredential, "the public key is the bootstrap credential's; make a new key pair")
    }

    private func announced() -> Refusal? {
        guard let registration = situation.registration else {
            guard policy == .allowlist else { return nil }
            return Refusal(.deviceNotRegistered, "the device is not registered in this fleet, which admits only such")
        }
        if let pinned = registration.publicKeySHA256, pinned != key {
            return Refusal(
                .keyNotRegistered,
                "the registration names the public key \(Hex.text(pinned)), the device came with \(Hex.text(key))"
            )
        }
        if let pinned = registration.idevidSHA256, anchor.rule.isClaim || pinned != identity.credentialSHA256 {
            let came = Hex.text(identity.credentialSHA256)
            return Refusal(
                .idevidNotRegistered,
                "the registration names the IDevID \(Hex.text(pinned)), the device came with the "
                    + "\(anchor.rule.isClaim ? "claim" : "IDevID") \(came)"
            )
        }
        return nil
    }

    private func first() -> EnrollmentDecision {
        if let refusal = gate.overLimit() { return .refuse(refusal) }
        let admission = Admission(
            anchor: anchor.id,
            credentialSHA256: identity.credentialSHA256,
            kind: anchor.rule.isClaim ? .claim : .idevid,
            anchorLimits: anchor.limits.whole,
            credentialLimits: gate.credentialLimits
        )
        func issue(_ rule: String) -> EnrollmentDecision {
            .issue(replaces: nil, renewable: nil, admission: admission, rule: rule)
        }
        switch policy {
        case .open: return issue("open-first")
        case .allowlist: return issue("allowlist-first")
        case .approval: return approved(.first, rule: "approval-first") { issue("approved-first") }
        }
    }

    private func known(_ device: KnownDevice) -> EnrollmentDecision {
        if !anchor.rule.isClaim, let owner = device.idevidAnchor, owner != anchor.id {
            return .refuse(
                Refusal(.deviceOfAnotherAnchor, "another manufacturer's IDevID already proved a device of this name")
            )
        }
        func issue(_ rule: String) -> EnrollmentDecision {
            .issue(replaces: device.current.serialNumber, renewable: nil, admission: nil, rule: rule)
        }
        if device.current.isRevoked || device.standing.reason != nil { return revoked(device, issue) }
        if device.current.publicKeySHA256 == key {
            if now < device.current.notAfter { return .repeatCertificate(device.current, rule: "same-key") }
            return issue("same-key-expired")
        }
        switch anchor.keyChange {
        case .replace: return issue(anchor.rule.isClaim ? "claim-replaces" : "idevid-replaces")
        case .approve: return approved(.keyChange, rule: "approval-key-change") { issue("approved-key-change") }
        case .refuse:
            let what = anchor.rule.isClaim ? "a claim certificate" : "an IDevID of the anchor \(anchor.name)"
            return .refuse(
                Refusal(.deviceHasAnotherKey, "the device is enrolled with another key; \(what) cannot replace it")
            )
        }
    }

    /// What becomes of a revoked device. One that is revoked no more, though its certificate is, was cleared.
    private func revoked(_ device: KnownDevice, _ issue: (String) -> EnrollmentDecision) -> EnrollmentDecision {
        if device.current.publicKeySHA256 == key {
            return .refuse(Refusal(.certificateRevoked, "the certificate for this key was revoked"))
        }
        switch (reenrollment, isCleared: device.standing.reason == nil) {
        case (.never, _):
            return .refuse(Refusal(.deviceRevoked, "the device was revoked, and its fleet admits none such again"))
        case (_, isCleared: true):
            return issue("cleared")
        case (.afterClear, isCleared: false):
            return .refuse(Refusal(.deviceRevoked, "the device was revoked, and no operator has cleared it"))
        case (.approval, isCleared: false):
            return approved(.reenrollment, rule: "approval-reenrollment") { issue("approved-reenrollment") }
        }
    }

    private func approved(
        _ kind: ApprovalRequest.Kind,
        rule: String,
        issue: () -> EnrollmentDecision
    ) -> EnrollmentDecision {
        switch situation.approval {
        case .approved: return issue()
        case .rejected: return .refuse(Refusal(.approvalRejected, "an operator rejected this device with this key"))
        case .pending: return .wait(kind, isAsked: true, rule: rule)
        case nil:
            guard situation.pending < EnrollmentPolicy.pendingMax else {
                let max = EnrollmentPolicy.pendingMax
                return .refuse(Refusal(.approvalQueueFull, "\(max) devices of the fleet wait for approval already"))
            }
            return .wait(kind, isAsked: false, rule: rule)
        }
    }
}
