package import Enrollment
package import Foundation
import FuzzKit
import OpenSSL
import PKI

/// A fleet with a bootstrap anchor for each rule by which a DeviceID is found.
package struct FuzzFleet: Sendable {
    /// What the clock shows: 15 January 2026.
    package static let now = Date(timeIntervalSince1970: 1_768_478_400)
    /// A device of the fleet. It has a letter that another character is canonically equivalent to: U+212A.
    package static let deviceText = "Kiln-1"
    package static let pattern = "urn:example:device:{id}:v1"

    /// In the order of ``DeviceIDRule/names``.
    package let anchors: [FuzzAuthority]
    /// Signs the fleet's operational certificates.
    package let issuing: FuzzAuthority
    package let fleet: Fleet

    /// The one that all inputs meet.
    package static let shared = Property.given("making the fleet") { try FuzzFleet() }

    private init() throws {
        let root = try FuzzAuthority(named: "Example Root", role: .root)
        let issuingKey = try PrivateKey.generate(.ed25519)
        issuing = try FuzzAuthority(
            key: issuingKey,
            der: CertificateAuthority.signed(
                commonName: "Example Issuing CA",
                organization: "Example Works",
                role: .issuing,
                publicKey: CertificateAuthority.publicKey(of: issuingKey),
                issuer: root.der,
                issuerKey: root.key,
                lifetime: CertificateAuthority.issuingLifetime,
                now: Self.now
            )
        )
        anchors = try DeviceIDRule.names.map { try FuzzAuthority(named: "Anchor \($0)", role: .bootstrapAnchor) }
        let chain = try CACertificateChain(der: [issuing.der, root.der], now: Self.now)
        let issuer = try Issuer(name: "example", chain: chain, key: issuingKey)
        let pattern = DeviceIDPattern(Self.pattern)
        let bootstrap = try zip(DeviceIDRule.names, anchors).enumerated().map { index, pair in
            let (name, authority) = pair
            guard let rule = DeviceIDRule(name: name, pattern: name == "san-uri" ? pattern : nil) else {
                throw Failure.noRule(name)
            }
            return BootstrapAnchor(
                id: AnchorID(Int64(index + 1)),
                name: name,
                certificate: authority.certificate,
                rule: rule
            )
        }
        guard let fleetName = FleetName("meters") else { throw Failure.noFleet }
        let record = FleetRecord(
            id: FleetID(1),
            name: fleetName,
            policy: .open,
            profile: try CertificateProfile(organization: "Example Works", trustDomain: "fleet.example"),
            issuerID: IssuerID(1),
            anchors: bootstrap,
            trusted: [TrustedIssuer(id: IssuerID(1), name: "example", chain: chain, rollover: [])]
        )
        guard let fleet = Fleet(record, issuers: [issuer]) else { throw Failure.noFleet }
        self.fleet = fleet
    }

    private enum Failure: Error {
        case noRule(String)
        case noFleet
    }
}
