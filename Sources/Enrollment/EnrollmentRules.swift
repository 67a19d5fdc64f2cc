package import Foundation
import PKI

/// What is to be done with an enrollment: a value, decided by pure rules over what the record knows.
package enum EnrollmentDecision: Sendable {
    /// Sign a certificate. `admission` is what lets a new device in.
    case issue(replaces: [UInt8]?, renewable: [UInt8]?, admission: Admission?, rule: String)
    /// Answer with the certificate that was issued before.
    case repeatCertificate(RecordedCertificate, rule: String)
    /// An operator is to say; `isAsked` is true if the record has the question already.
    case wait(ApprovalRequest.Kind, isAsked: Bool, rule: String)
    case refuse(Refusal)
}

/// The one place that decides who gets a certificate. It knows no clock, no database and no wire.
package enum EnrollmentRules {
    /// How long a certificate that was replaced by renewal may still renew while its successor is unused: a device may
    /// have lost power before it saved the new one (EST-36).
    package static let overlap: Duration = .seconds(7 * 86_400)

    package static func decide(
        _ identity: ClientIdentity,
        publicKeySHA256: [UInt8],
        policy: EnrollmentPolicy,
        reenrollment: ReenrollmentPolicy = .standard,
        situation: EnrollmentSituation,
        now: Date
    ) -> EnrollmentDecision {
        switch identity {
        case .bootstrap(let bootstrap):
            let rules = FirstEnrollmentRules(
                identity: bootstrap,
                key: publicKeySHA256,
                policy: policy,
                reenrollment: reenrollment,
                situation: situation,
                now: now
            )
            return rules.decide()
        case .operational(let operational):
            if let refusal = foreignKey(situation) ?? held(situation) ?? revokedKey(situation) {
                return .refuse(refusal)
            }
            return renew(operational, key: publicKeySHA256, device: situation.device, now: now)
        }
    }

    /// C-04: no key ever serves two devices.
    static func foreignKey(_ situation: EnrollmentSituation) -> Refusal? {
        guard situation.keyBelongsToAnother else { return nil }
        return Refusal(.keyOfAnotherDevice, "the public key belongs to another device; make a new key pair")
    }

    static func held(_ situation: EnrollmentSituation) -> Refusal? {
        guard situation.device?.standing.reason?.isHold == true else { return nil }
        return Refusal(
            .deviceHeld,
            "an operator put the device on hold; nothing of it is accepted until it is released"
        )
    }

    /// Once revoked with its device, a key is never certified again.
    static func revokedKey(_ situation: EnrollmentSituation) -> Refusal? {
        guard situation.keyIsRevoked else { return nil }
        return Refusal(.certificateRevoked, "the public key was revoked with its device; make a new key pair")
    }

    private static func renew(
        _ identity: OperationalIdentity,
        key: [UInt8],
        device: KnownDevice?,
        now: Date
    ) -> EnrollmentDecision {
        guard let device else {
            return .refuse(Refusal(.certificateUnknown, "the device of this certificate is not in the record"))
        }
        if device.standing.reason != nil || device.current.isRevoked {
            return .refuse(Refusal(.certificateRevoked, "the device's certificate was revoked"))
        }
        if device.current.serialNumber == identity.serialNumber {
            let rule = device.current.publicKeySHA256 == key ? "renew" : "rekey"
            return .issue(
                replaces: device.current.serialNumber,
                renewable: identity.serialNumber,
                admission: nil,
                rule: rule
            )
        }
        let inOverlap = now < device.enrolledAt.addingTimeInterval(overlap.inSeconds)
        guard device.renewableSerialNumber == identity.serialNumber, !device.currentIsUsed, inOverlap else {
            return .refuse(
                Refusal(.certificateSuperseded, "the certificate was replaced; renew with the one that replaced it")
            )
        }
        guard device.current.publicKeySHA256 == key else {
            return .issue(
                replaces: device.current.serialNumber,
                renewable: identity.serialNumber,
                admission: nil,
                rule: "rekey-unsaved"
            )
        }
        if now < device.current.notAfter { return .repeatCertificate(device.current, rule: "same-key") }
        return .issue(
            replaces: device.current.serialNumber,
            renewable: identity.serialNumber,
            admission: nil,
            rule: "same-key-expired"
        )
    }
}
