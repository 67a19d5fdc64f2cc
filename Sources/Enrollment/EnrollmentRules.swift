package import Foundation
import PKI

/// What is to be done with an enrollment: a value, decided by pure rules over what the record knows.
package enum EnrollmentDecision: Sendable {
    /// Sign a certificate.
    case issue(replaces: [UInt8]?, renewable: [UInt8]?, rule: String)
    /// Answer with the certificate that was issued before.
    case repeatCertificate(RecordedCertificate, rule: String)
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
        situation: EnrollmentSituation,
        now: Date
    ) -> EnrollmentDecision {
        if situation.keyBelongsToAnother {
            return .refuse(
                Refusal(.keyOfAnotherDevice, "the public key belongs to another device; make a new key pair")
            )
        }
        switch identity {
        case .bootstrap(let bootstrap):
            switch policy {
            case .open:
                return first(bootstrap, key: publicKeySHA256, device: situation.device, now: now)
            }
        case .operational(let operational):
            return renew(operational, key: publicKeySHA256, device: situation.device, now: now)
        }
    }

    private static func first(
        _ identity: BootstrapIdentity,
        key: [UInt8],
        device: KnownDevice?,
        now: Date
    ) -> EnrollmentDecision {
        if identity.publicKeySHA256 == key {
            return .refuse(
                Refusal(.keyOfBootstrapCredential, "the public key is the bootstrap credential's; make a new key pair")
            )
        }
        guard let device else { return .issue(replaces: nil, renewable: nil, rule: "open-first") }
        if identity.anchor.rule == .subjectSerialNumber, let owner = device.idevidAnchor, owner != identity.anchor.id {
            return .refuse(
                Refusal(.deviceOfAnotherAnchor, "another manufacturer's IDevID already proved a device of this name")
            )
        }
        if device.current.publicKeySHA256 == key {
            if device.current.isRevoked {
                return .refuse(Refusal(.certificateRevoked, "the certificate for this key was revoked"))
            }
            if now < device.current.notAfter { return .repeatCertificate(device.current, rule: "same-key") }
            return .issue(replaces: device.current.serialNumber, renewable: nil, rule: "same-key-expired")
        }
        switch identity.anchor.rule {
        case .subjectSerialNumber:
            return .issue(replaces: device.current.serialNumber, renewable: nil, rule: "idevid-replaces")
        case .requestCommonName:
            return .refuse(
                Refusal(
                    .deviceHasAnotherKey,
                    "the device is enrolled with another key; a claim certificate cannot replace it"
                )
            )
        }
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
        if device.current.isRevoked {
            return .refuse(Refusal(.certificateRevoked, "the device's certificate was revoked"))
        }
        if device.current.serialNumber == identity.serialNumber {
            let rule = device.current.publicKeySHA256 == key ? "renew" : "rekey"
            return .issue(replaces: device.current.serialNumber, renewable: identity.serialNumber, rule: rule)
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
                rule: "rekey-unsaved"
            )
        }
        if now < device.current.notAfter { return .repeatCertificate(device.current, rule: "same-key") }
        return .issue(
            replaces: device.current.serialNumber,
            renewable: identity.serialNumber,
            rule: "same-key-expired"
        )
    }
}
