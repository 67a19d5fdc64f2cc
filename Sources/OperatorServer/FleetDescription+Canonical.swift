import Enrollment
import Foundation
import OperatorAPI
import PKI
import SwiftASN1
import X509

/// The one form of a fleet in writing: everything said, standard values too, lists in a fixed order. Two fleets are the
/// same if their canonical descriptions are.
extension FleetDescription {
    /// What the record holds.
    init(_ record: FleetRecord) {
        self.init(
            fleet: record.name.text,
            policy: record.policy.rawValue,
            approvalRetry: DurationText.text(record.approvalRetry.components.seconds),
            reenrollment: record.reenrollment.rawValue,
            issuer: record.issuerName,
            profile: Profile(record.profile),
            anchors: record.anchors.sorted { $0.name < $1.name }.compactMap { anchor in
                guard let certificate = try? anchor.certificate.serializeAsPEM().derBytes else { return nil }
                return Anchor(
                    name: anchor.name,
                    certificate: certificate,
                    rule: anchor.rule,
                    keyChange: anchor.keyChange,
                    limits: anchor.limits
                )
            }
        )
    }

    /// What a plan will make of it.
    init(_ plan: FleetPlan) {
        self.init(
            fleet: plan.name.text,
            policy: plan.policy.rawValue,
            approvalRetry: DurationText.text(plan.approvalRetry.components.seconds),
            reenrollment: plan.reenrollment.rawValue,
            issuer: plan.issuer.name,
            profile: Profile(plan.profile),
            anchors: plan.anchors.sorted { $0.name < $1.name }.map { anchor in
                Anchor(
                    name: anchor.name,
                    certificate: anchor.certificate,
                    rule: anchor.rule,
                    keyChange: anchor.keyChange,
                    limits: anchor.limits
                )
            }
        )
    }
}

extension FleetDescription.Profile {
    init(_ profile: CertificateProfile) {
        self.init(
            organization: profile.organization,
            trustDomain: profile.trustDomain,
            lifetime: DurationText.text(profile.lifetime.components.seconds),
            backdating: DurationText.text(profile.backdating.components.seconds),
            keys: KeyPolicy.Family.allCases.filter(profile.keyPolicy.families.contains).map(\.rawValue),
            rsaBitsMin: profile.keyPolicy.rsaBitsMin,
            rsaKeyEncipherment: profile.rsaKeyEncipherment,
            crlURLs: profile.crlURLs,
            deltaCRLURLs: profile.deltaCRLURLs,
            issuerURLs: profile.issuerURLs,
            ocspURLs: profile.ocspURLs
        )
    }
}

extension FleetDescription.Anchor {
    /// - Parameter certificate: DER.
    init(name: String, certificate: [UInt8], rule: DeviceIDRule, keyChange: KeyChangeRule, limits: AnchorLimits) {
        self.init(
            name: name,
            certificate: OperatorOperations.pem(certificate),
            deviceID: rule.name,
            uriPattern: rule.pattern?.text,
            keyChange: keyChange.rawValue,
            limits: API.Limits(limits.whole),
            credentialLimits: API.Limits(limits.credential)
        )
    }
}

extension FleetRecord {
    /// Name of the issuer that signs now.
    var issuerName: String { trusted.first { $0.id == issuerID }?.name ?? "" }
}
