import Foundation
package import PKI
package import X509

/// The record's key of a fleet.
package struct FleetID: Hashable, Sendable {
    package let value: Int64
    package init(_ value: Int64) { self.value = value }
}

/// The record's key of an issuer.
package struct IssuerID: Hashable, Sendable {
    package let value: Int64
    package init(_ value: Int64) { self.value = value }
}

/// The record's key of a bootstrap anchor.
package struct AnchorID: Hashable, Sendable {
    package let value: Int64
    package init(_ value: Int64) { self.value = value }
}

/// A CA whose bootstrap credentials a fleet accepts.
package struct BootstrapAnchor: Hashable, Sendable {
    package let id: AnchorID
    package let name: String
    package let certificate: Certificate
    package let rule: DeviceIDRule
    package let keyChange: KeyChangeRule
    package let limits: AnchorLimits

    package init(
        id: AnchorID,
        name: String,
        certificate: Certificate,
        rule: DeviceIDRule,
        keyChange: KeyChangeRule? = nil,
        limits: AnchorLimits = AnchorLimits()
    ) {
        self.id = id
        self.name = name
        self.certificate = certificate
        self.rule = rule
        self.keyChange = keyChange ?? rule.standardKeyChange
        self.limits = limits
    }
}

/// A CA whose certificates a fleet trusts, with what its rollover left (RFC 7030 section 4.1.3).
package struct TrustedIssuer: Hashable, Sendable {
    package let id: IssuerID
    package let name: String
    package let chain: CACertificateChain
    /// DER of OldWithOld, OldWithNew and NewWithOld, where there are any.
    package let rollover: [[UInt8]]

    package init(id: IssuerID, name: String, chain: CACertificateChain, rollover: [[UInt8]]) {
        self.id = id
        self.name = name
        self.chain = chain
        self.rollover = rollover
    }
}

/// A fleet as the record holds it.
package struct FleetRecord: Hashable, Sendable {
    package let id: FleetID
    package let name: FleetName
    package let policy: EnrollmentPolicy
    /// How long a device that waits for approval is asked to wait before it comes again.
    package let approvalRetry: Duration
    /// What becomes of revoked devices that come to enroll again.
    package let reenrollment: ReenrollmentPolicy
    package let profile: CertificateProfile
    /// The issuer that signs now.
    package let issuerID: IssuerID
    package let anchors: [BootstrapAnchor]
    /// Every issuer whose certificates count as operational ones of this fleet, the signing one among them.
    package let trusted: [TrustedIssuer]
    /// The newest trust store, as it is published: CMS SignedData, DER; nil if there is none.
    package let trustStore: [UInt8]?

    package init(
        id: FleetID,
        name: FleetName,
        policy: EnrollmentPolicy,
        approvalRetry: Duration = EnrollmentPolicy.approvalRetryStandard,
        reenrollment: ReenrollmentPolicy = .standard,
        profile: CertificateProfile,
        issuerID: IssuerID,
        anchors: [BootstrapAnchor],
        trusted: [TrustedIssuer],
        trustStore: [UInt8]? = nil
    ) {
        self.trustStore = trustStore
        self.id = id
        self.name = name
        self.policy = policy
        self.approvalRetry = approvalRetry
        self.reenrollment = reenrollment
        self.profile = profile
        self.issuerID = issuerID
        self.anchors = anchors
        self.trusted = trusted
    }
}

/// A fleet as it serves: the record's facts with the issuer's key and the two sets of anchors, kept apart (EST-06).
package final class Fleet: Sendable {
    package let record: FleetRecord
    package let issuer: Issuer
    package let bootstrapAnchors: TrustAnchors
    package let operationalAnchors: TrustAnchors
    /// What its certificates have in common; nil if the profile cannot be encoded, which each issuance then says.
    let commonExtensions: ProfileExtensions?
    /// SHA-256 of the SubjectPublicKeyInfo of each CA that the fleet knows; no device may hold one of these keys.
    let authorityKeys: Set<[UInt8]>

    package var id: FleetID { record.id }
    package var name: FleetName { record.name }
    /// The record's profile, with the URLs of the public front where it names none.
    package let profile: CertificateProfile

    /// Nil if `issuers` lacks the fleet's signing issuer, whose certificate is the name it is found by.
    /// - Parameter publicURL: How the public front is reached; nil if that is not known.
    package init?(_ record: FleetRecord, issuers: [Issuer], publicURL: String? = nil) {
        guard let signing = record.trusted.first(where: { $0.id == record.issuerID }),
            let issuer = issuers.first(where: { $0.der == signing.chain.der[0] })
        else { return nil }
        self.record = record
        self.issuer = issuer
        bootstrapAnchors = TrustAnchors(record.anchors.map(\.certificate))
        operationalAnchors = TrustAnchors(record.trusted.map(\.chain.issuing))
        profile = record.profile.reached(at: publicURL)
        commonExtensions = try? ProfileExtensions(profile: profile, issuer: issuer)
        authorityKeys = Set(
            record.trusted.flatMap(\.chain.keys)
                + record.anchors.compactMap { try? PublicKeyInfo.sha256(of: $0.certificate.publicKey) }
        )
    }

    /// What `/cacerts` answers: each CA from an issued certificate up to the root, for every trusted issuer, then what
    /// a rollover left; stable order, each once (EST-12 to EST-14).
    package var certificates: [[UInt8]] {
        var seen: Set<[UInt8]> = []
        let signingFirst =
            record.trusted.filter { $0.id == record.issuerID } + record.trusted.filter { $0.id != record.issuerID }
        return (signingFirst.flatMap(\.chain.der) + signingFirst.flatMap(\.rollover)).filter {
            seen.insert($0).inserted
        }
    }
}
