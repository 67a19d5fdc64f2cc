package import Foundation
package import PKI

/// Where fleets are made and changed. Each call is one transaction, with its audit entry and its outbox event.
package protocol FleetRegistry: Sendable {
    /// Registers an issuer, or finds it by its certificate.
    func register(_ issuer: IssuerRegistration, actor: String, at: Date) async throws(RecordError) -> IssuerID

    /// The fleet's name and newest trust store, if there is such a fleet.
    func standing(of fleet: FleetName) async throws(RecordError) -> FleetStanding?

    /// Makes a fleet with its anchors and first trust store. False if there is one of that name already.
    func create(
        _ fleet: FleetCreation,
        trustStore: TrustStoreVersion,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool

    /// Brings a fleet of that name to what `fleet` says: policy, profile, issuer, and its anchors by their names; those
    /// not named are removed. With `trustStore` the fleet trusts `trusted` and gets that trust store.
    /// False if there is no such fleet, or `trustStore.version` is not the next one any more.
    func update(
        _ fleet: FleetCreation,
        trusted: [IssuerID],
        trustStore: TrustStoreVersion?,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool

    /// Changes which issuers a fleet trusts and which one signs, with the trust store that follows from it. False if
    /// `trustStore.version` is not the next one any more.
    func change(
        _ fleet: FleetName,
        signing: IssuerID,
        trusted: [IssuerID],
        trustStore: TrustStoreVersion,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool
}

/// An issuer to be registered.
package struct IssuerRegistration: Sendable {
    package let name: String
    package let chain: CACertificateChain

    package init(name: String, chain: CACertificateChain) {
        self.name = name
        self.chain = chain
    }
}

/// A fleet to be made.
package struct FleetCreation: Sendable {
    package struct Anchor: Sendable {
        package let name: String
        /// DER.
        package let certificate: [UInt8]
        package let rule: DeviceIDRule
        package let keyChange: KeyChangeRule
        package let limits: AnchorLimits

        package init(
            name: String,
            certificate: [UInt8],
            rule: DeviceIDRule,
            keyChange: KeyChangeRule? = nil,
            limits: AnchorLimits = AnchorLimits()
        ) {
            self.name = name
            self.certificate = certificate
            self.rule = rule
            self.keyChange = keyChange ?? rule.standardKeyChange
            self.limits = limits
        }
    }

    package let name: FleetName
    package let policy: EnrollmentPolicy
    package let approvalRetry: Duration
    package let reenrollment: ReenrollmentPolicy
    package let profile: CertificateProfile
    package let issuer: IssuerID
    package let anchors: [Anchor]

    package init(
        name: FleetName,
        policy: EnrollmentPolicy,
        approvalRetry: Duration = EnrollmentPolicy.approvalRetryStandard,
        reenrollment: ReenrollmentPolicy = .standard,
        profile: CertificateProfile,
        issuer: IssuerID,
        anchors: [Anchor]
    ) {
        self.name = name
        self.policy = policy
        self.approvalRetry = approvalRetry
        self.reenrollment = reenrollment
        self.profile = profile
        self.issuer = issuer
        self.anchors = anchors
    }
}

/// How a fleet stands in the record.
package struct FleetStanding: Sendable {
    package let signing: IssuerID
    package let trusted: [TrustedIssuer]
    package let trustStore: TrustStoreVersion?

    package init(signing: IssuerID, trusted: [TrustedIssuer], trustStore: TrustStoreVersion?) {
        self.signing = signing
        self.trusted = trusted
        self.trustStore = trustStore
    }
}

/// A signed version of a fleet's trust store.
package struct TrustStoreVersion: Hashable, Sendable {
    package let version: Int64
    package let issuedAt: Date
    package let expiresAt: Date
    /// The CMS message (DER) as published.
    package let message: [UInt8]
    package let messageSHA256: [UInt8]
    /// DER, issuing CAs first, roots last.
    package let certificates: [[UInt8]]

    package init(
        version: Int64,
        issuedAt: Date,
        expiresAt: Date,
        message: [UInt8],
        messageSHA256: [UInt8],
        certificates: [[UInt8]]
    ) {
        self.version = version
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.message = message
        self.messageSHA256 = messageSHA256
        self.certificates = certificates
    }
}
