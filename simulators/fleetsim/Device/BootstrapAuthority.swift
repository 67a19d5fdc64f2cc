import Crypto
import Foundation
import SwiftASN1
import X509

/// A CA that signs bootstrap credentials: a manufacturer's, which gives each device its IDevID (IEEE 802.1AR), or one
/// that gives a batch its claim certificate.
struct BootstrapAuthority: Sendable {
    /// A certificate (DER) and its key. Keys are on P-256, as in most secure elements, whatever the operational key.
    typealias Credential = (certificate: [UInt8], key: P256.Signing.PrivateKey)

    private let name: DistinguishedName
    private let key: Certificate.PrivateKey
    private let authorityKeyIdentifier: AuthorityKeyIdentifier
    private let notBefore: Date
    private let notAfter: Date
    /// 99991231235959Z: no well-defined expiration (RFC 5280 section 4.1.2.5).
    private static let noExpiration = Date(timeIntervalSince1970: 253_402_300_799)
    private static let organization = "Muster Simulated Devices"

    /// The CA of these two PEM files.
    init(_ files: CredentialFiles) throws {
        let certificate: Certificate
        do {
            certificate = try Certificate(pemEncoded: files.certificate)
            key = try Certificate.PrivateKey(pemEncoded: files.key)
        } catch {
            throw SimulatorError.credential("\(files.name) is not a certificate and a key in PEM: \(error)")
        }
        guard key.publicKey == certificate.publicKey else {
            throw SimulatorError.credential("the key of \(files.name) is not the key of its certificate")
        }
        name = certificate.subject
        let identifier = try certificate.extensions.subjectKeyIdentifier?.keyIdentifier
        authorityKeyIdentifier = AuthorityKeyIdentifier(
            keyIdentifier: identifier ?? SubjectKeyIdentifier(hash: certificate.publicKey).keyIdentifier
        )
        // Devices were made before they are switched on.
        notBefore = certificate.notValidBefore
        notAfter = certificate.notValidAfter
    }

    /// An IDevID and its key.
    func makeIDevID(_ deviceID: String) throws -> Credential {
        try issue([DeviceName.commonName(deviceID), DeviceName.serialNumber(deviceID)], until: Self.noExpiration)
    }

    /// The claim certificate of batch `number`, counted from 1, and its key.
    func makeClaim(_ number: Int) throws -> Credential {
        try issue(
            [DeviceName.commonName("simulated batch \(number)")],
            until: notAfter,
            usage: ExtendedKeyUsage([.clientAuth])
        )
    }

    private func issue(
        _ names: [RelativeDistinguishedName.Attribute],
        until notAfter: Date,
        usage: ExtendedKeyUsage? = nil
    ) throws -> Credential {
        let credentialKey = P256.Signing.PrivateKey.quick()
        let authority = authorityKeyIdentifier
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PublicKey(credentialKey.publicKey),
            notValidBefore: notBefore,
            notValidAfter: notAfter,
            issuer: name,
            subject: DistinguishedName(
                [.init(type: .NameAttributes.organizationName, utf8String: Self.organization)] + names
            ),
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                authority
                if let usage { usage }
            },
            issuerPrivateKey: key
        )
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return (serializer.serializedBytes, credentialKey)
    }
}
