import ArgumentParser
import Crypto
import Foundation
import NIOSSL
import SwiftASN1
import X509

/// How the devices of a run prove who they are at first boot.
enum IdentityKind: String, CaseIterable, ExpressibleByArgument, Sendable {
    /// Each has an IDevID of its own, signed by the manufacturer's CA.
    case idevid
    /// All share one claim certificate, and name themselves in the CSR.
    case claim
}

/// Where the devices of a run get their bootstrap credential: a manufacturer that makes IDevIDs, or a shared claim.
enum IdentitySource: Sendable {
    case manufacturer(Manufacturer)
    case claim(chain: [NIOSSLCertificate], key: NIOSSLPrivateKey)

    init(_ kind: IdentityKind, files: DevFile.Files) throws {
        switch kind {
        case .idevid:
            self = try .manufacturer(Manufacturer(files: files))
        case .claim:
            let certificate = try DevFile.text(of: files.claimCert, named: "claimCert")
            let key = try DevFile.text(of: files.claimKey, named: "claimKey")
            self = try .claim(
                chain: NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8)),
                key: NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
            )
        }
    }
}

/// A manufacturer's CA, which gives each device its IDevID (IEEE 802.1AR).
struct Manufacturer: Sendable {
    private let name: DistinguishedName
    private let key: Certificate.PrivateKey
    private let authorityKeyIdentifier: AuthorityKeyIdentifier
    private let notBefore: Date
    /// 99991231235959Z: no well-defined expiration (RFC 5280 section 4.1.2.5).
    private static let notAfter = Date(timeIntervalSince1970: 253_402_300_799)

    init(files: DevFile.Files) throws {
        let pem = try DevFile.text(of: files.manufacturerCert, named: "manufacturerCert")
        let keyPEM = try DevFile.text(of: files.manufacturerKey, named: "manufacturerKey")
        let certificate = try Certificate(pemEncoded: pem)
        name = certificate.subject
        key = try Certificate.PrivateKey(pemEncoded: keyPEM)
        guard key.publicKey == certificate.publicKey else {
            throw SimulatorError.devFile("files.manufacturerKey is not the key of files.manufacturerCert")
        }
        let identifier = try certificate.extensions.subjectKeyIdentifier?.keyIdentifier
        authorityKeyIdentifier = AuthorityKeyIdentifier(
            keyIdentifier: identifier ?? SubjectKeyIdentifier(hash: certificate.publicKey).keyIdentifier
        )
        // Devices were made before they are switched on.
        notBefore = certificate.notValidBefore
    }

    /// An IDevID and its key. The key is on P-256, as in most secure elements, whatever the operational key will be.
    func makeIDevID(_ deviceID: String) throws -> (certificate: [UInt8], key: P256.Signing.PrivateKey) {
        let deviceKey = P256.Signing.PrivateKey.quick()
        let authority = authorityKeyIdentifier
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PublicKey(deviceKey.publicKey),
            notValidBefore: notBefore,
            notValidAfter: Self.notAfter,
            issuer: name,
            subject: DistinguishedName([
                .init(type: .NameAttributes.organizationName, utf8String: "Muster Simulated Devices"),
                DeviceName.commonName(deviceID),
                DeviceName.serialNumber(deviceID),
            ]),
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                authority
            },
            issuerPrivateKey: key
        )
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return (serializer.serializedBytes, deviceKey)
    }
}

/// The names that devices go by in certificates and requests.
enum DeviceName {
    static func commonName(_ deviceID: String) -> RelativeDistinguishedName.Attribute {
        RelativeDistinguishedName.Attribute(type: .NameAttributes.commonName, utf8String: deviceID)
    }

    /// serialNumber, a PrintableString (X.520), which every DeviceID but one with `_` can be.
    static func serialNumber(_ deviceID: String) -> RelativeDistinguishedName.Attribute {
        let value: RelativeDistinguishedName.Attribute.Value =
            (try? .init(printableString: deviceID)) ?? .init(utf8String: deviceID)
        return RelativeDistinguishedName.Attribute(type: .NameAttributes.serialNumber, value: value)
    }

    /// A CSR in DER: the DeviceID as CN, with an IDevID as serialNumber too, and nothing else; what a certificate
    /// contains is the server's to decide.
    static func request(_ deviceID: String, identity: IdentityKind, key: Certificate.PrivateKey) throws -> [UInt8] {
        let names =
            switch identity {
            case .idevid: [commonName(deviceID), serialNumber(deviceID)]
            case .claim: [commonName(deviceID)]
            }
        let request = try CertificateSigningRequest(
            version: .v1,
            subject: DistinguishedName(names),
            privateKey: key,
            attributes: CertificateSigningRequest.Attributes()
        )
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }
}
