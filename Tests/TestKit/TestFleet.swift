package import Enrollment
package import Foundation
package import OpenSSL
package import PKI
package import X509

/// A fleet with all that stands around it: its CAs, two manufacturers, and a CA for claims.
package struct TestFleet: Sendable {
    package static let manufacturerID = AnchorID(1)
    package static let otherManufacturerID = AnchorID(2)
    package static let claimsID = AnchorID(3)
    /// Over so many CRLs its certificates are spread.
    package static let crlShards = 3

    package let root: TestAuthority
    package let issuing: TestAuthority
    package let manufacturer: TestAuthority
    package let otherManufacturer: TestAuthority
    package let claims: TestAuthority
    package let issuer: Issuer
    package private(set) var fleet: Fleet

    /// - Parameters:
    ///   - policy: Who may enroll.
    ///   - reenrollment: What becomes of revoked devices that come again.
    ///   - manufacturer: What the first anchor is accepted for.
    ///   - claims: What the anchor of the claims is accepted for.
    ///   - lifetime: How long its certificates live.
    ///   - id: The record's key of the fleet.
    ///   - issuerName: What its issuer is called; a record has each name once.
    package init(
        name: String = "meters",
        id: FleetID = FleetID(1),
        lifetime: Duration = .seconds(90 * 86_400),
        keyPolicy: KeyPolicy = KeyPolicy(),
        issuerName: String = "example",
        issuerKey: KeyAlgorithm = .ecdsaP256,
        policy: EnrollmentPolicy = .open,
        reenrollment: ReenrollmentPolicy = .standard,
        manufacturer terms: AnchorTerms = AnchorTerms(.subjectSerialNumber),
        claims claimTerms: AnchorTerms = AnchorTerms(.requestCommonName)
    ) throws {
        root = try TestAuthority.selfSigned("Example Root")
        issuing = try root.signed("Example Issuing CA", algorithm: issuerKey)
        manufacturer = try TestAuthority.selfSigned("Example Manufacturer", role: .bootstrapAnchor)
        otherManufacturer = try TestAuthority.selfSigned("Other Manufacturer", role: .bootstrapAnchor)
        claims = try TestAuthority.selfSigned("Example Claims", role: .bootstrapAnchor)
        let chain = try issuing.chain(root)
        issuer = try Issuer(name: issuerName, chain: chain, key: issuing.key, crlShards: Self.crlShards)
        guard let fleetName = FleetName(name) else { throw TestFleetError.noFleet }
        let record = FleetRecord(
            id: id,
            name: fleetName,
            policy: policy,
            reenrollment: reenrollment,
            profile: try CertificateProfile(
                organization: "Example Works",
                trustDomain: "fleet.example",
                lifetime: lifetime,
                keyPolicy: keyPolicy,
                crlURLs: ["http://pki.example/crl/{issuer}/{shard}.crl"],
                deltaCRLURLs: ["http://pki.example/crl/{issuer}/{shard}.delta.crl"],
                issuerURLs: ["http://pki.example/ca/{issuer}.cer"]
            ),
            issuerID: IssuerID(1),
            anchors: [
                terms.anchor(Self.manufacturerID, "manufacturer", manufacturer),
                AnchorTerms(.subjectSerialNumber).anchor(
                    Self.otherManufacturerID,
                    "other-manufacturer",
                    otherManufacturer
                ),
                claimTerms.anchor(Self.claimsID, "claims", claims),
            ],
            trusted: [TrustedIssuer(id: IssuerID(1), name: issuerName, chain: chain, rollover: [])]
        )
        guard let fleet = Fleet(record, issuers: [issuer]) else { throw TestFleetError.noFleet }
        self.fleet = fleet
    }

    /// The same fleet with the same CAs, after an operator changed who may enroll. What is nil stays as it is.
    package func changed(
        policy: EnrollmentPolicy? = nil,
        manufacturer terms: AnchorTerms? = nil,
        claims claimTerms: AnchorTerms? = nil
    ) throws -> TestFleet {
        let present = fleet.record
        let anchors = present.anchors.map { anchor in
            switch anchor.id {
            case Self.manufacturerID: terms?.anchor(anchor.id, anchor.name, manufacturer) ?? anchor
            case Self.claimsID: claimTerms?.anchor(anchor.id, anchor.name, claims) ?? anchor
            default: anchor
            }
        }
        let record = FleetRecord(
            id: present.id,
            name: present.name,
            policy: policy ?? present.policy,
            approvalRetry: present.approvalRetry,
            reenrollment: present.reenrollment,
            profile: present.profile,
            issuerID: present.issuerID,
            anchors: anchors,
            trusted: present.trusted
        )
        guard let fleet = Fleet(record, issuers: [issuer]) else { throw TestFleetError.noFleet }
        var copy = self
        copy.fleet = fleet
        return copy
    }

    /// The IDevID of a device, by its manufacturer or another one.
    package func idevid(
        _ serialNumber: String,
        by manufacturer: TestAuthority? = nil,
        _ change: (inout ClientCertificateDraft) throws -> Void = { _ in }
    ) throws -> TestCredential {
        let key = try DeviceKey.make()
        var draft = try ClientCertificateDraft(commonName: "Meter \(serialNumber)", serialNumber: serialNumber)
        draft.notAfter = ClientCertificateDraft.noExpiry
        try change(&draft)
        return try TestCredential(
            key: key,
            der: draft.signed(by: manufacturer ?? self.manufacturer, for: key.publicKey)
        )
    }

    /// A claim certificate, as a whole batch shares it.
    package func claim(_ batch: String = "batch 7") throws -> TestCredential {
        let key = try DeviceKey.make()
        let draft = try ClientCertificateDraft(commonName: batch)
        return try TestCredential(key: key, der: draft.signed(by: claims, for: key.publicKey))
    }

    /// The fleet's name.
    package var fleetName: FleetName { fleet.name }

    /// The fleet's certificate profile.
    package var profile: CertificateProfile { fleet.profile }

    package func names(_ device: String) throws -> DeviceNames {
        guard let device = DeviceID(device) else { throw TestFleetError.noDevice }
        return DeviceNames(device: device, fleet: fleet.name)
    }

    /// A certificate of this fleet, signed but not recorded.
    package func certificate(
        for device: String,
        key: Certificate.PublicKey,
        at: Date = TestClock.start
    ) throws -> IssuedCertificate {
        try prepared(for: device, key: key, at: at).signed()
    }

    /// A certificate of this fleet that is not signed yet.
    package func prepared(
        for device: String,
        key: Certificate.PublicKey,
        at: Date = TestClock.start
    ) throws -> PreparedCertificate {
        let names = try names(device)
        let template = try CertificateTemplate(
            names: names,
            publicKey: key,
            profile: fleet.profile,
            issuer: issuer,
            now: at
        )
        let linted = try CertificateLint.lint(template, names: names, profile: fleet.profile, issuer: issuer)
        return PreparedCertificate(linted, issuer: issuer)
    }
}

/// What an operator accepts an anchor for.
package struct AnchorTerms: Sendable {
    package let rule: DeviceIDRule
    package let keyChange: KeyChangeRule
    package let limits: AnchorLimits

    /// - Parameter keyChange: Nil is the rule's own.
    package init(_ rule: DeviceIDRule, keyChange: KeyChangeRule? = nil, limits: AnchorLimits = AnchorLimits()) {
        self.rule = rule
        self.keyChange = keyChange ?? rule.standardKeyChange
        self.limits = limits
    }

    func anchor(_ id: AnchorID, _ name: String, _ authority: TestAuthority) -> BootstrapAnchor {
        BootstrapAnchor(
            id: id,
            name: name,
            certificate: authority.certificate,
            rule: rule,
            keyChange: keyChange,
            limits: limits
        )
    }
}

/// Why a fixture could not be made.
package enum TestFleetError: Error {
    case noFleet
    case noDevice
    case noKey
}

extension CertificateTemplate {
    /// A template for a key that no request brought.
    package init(
        names: DeviceNames,
        publicKey: Certificate.PublicKey,
        profile: CertificateProfile,
        issuer: Issuer,
        now: Date
    ) throws {
        guard let key = PublicKeyFacts(publicKey) else { throw TestFleetError.noKey }
        try self.init(names: names, key: key, profile: profile, issuer: issuer, now: now)
    }
}

extension FleetDirectory {
    /// Puts `fleets` in place of what was, as a reading that nothing overlaps.
    package func replace(with fleets: [Fleet]) { replace(with: fleets, from: beginReading()) }
}
