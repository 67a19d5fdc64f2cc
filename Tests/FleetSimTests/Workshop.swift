import Crypto
import Foundation
import SwiftASN1
import TestPeers
import X509

/// A PKI made in memory for one test: a root, the CA that issues below it, and CAs of bootstrap credentials.
struct Workshop {
    /// A CA, or a server, with its key.
    struct Holder {
        let certificate: Certificate
        let key: P256.Signing.PrivateKey

        var der: [UInt8] {
            get throws {
                var serializer = DER.Serializer()
                try serializer.serialize(certificate)
                return serializer.serializedBytes
            }
        }
    }

    let folder: TemporaryDirectory
    let root: Holder
    let issuer: Holder
    let server: Holder
    let manufacturer: Holder
    let claimAuthority: Holder

    init() throws {
        folder = try TemporaryDirectory(prefix: "fsim")
        root = try Self.make("Test Root", isAuthority: true, by: nil)
        issuer = try Self.make("Test Issuer", isAuthority: true, by: root)
        server = try Self.make("localhost", isAuthority: false, by: root)
        manufacturer = try Self.make("Test Manufacturer", isAuthority: true, by: nil)
        claimAuthority = try Self.make("Test Claim CA", isAuthority: true, by: nil)
    }

    /// Writes a certificate and its key.
    /// - Returns: Their paths.
    func write(_ holder: Holder, _ name: String) throws -> (certificate: String, key: String) {
        try (
            folder.write("\(name).pem", (holder.certificate.serializeAsPEM().pemString + "\n").utf8),
            folder.write("\(name).key", (holder.key.pemRepresentation + "\n").utf8)
        )
    }

    /// Writes a dev.json for a server on that port, without a database.
    func dev(port: Int) throws -> String {
        let manufacturer = try write(manufacturer, "manufacturer")
        let root = try write(root, "root")
        let claim = try write(Self.make("claim", isAuthority: false, by: claimAuthority), "claim")
        let json = """
            {"urls": {"est": "https://localhost:\(port)"}, "fleet": "lab", "files": {
              "root": "\(root.certificate)", "claimCert": "\(claim.certificate)", "claimKey": "\(claim.key)",
              "manufacturerCert": "\(manufacturer.certificate)", "manufacturerKey": "\(manufacturer.key)"}}
            """
        return try folder.write("dev.json", json.utf8)
    }

    /// The operational certificate for a request (DER), with the names that it asks for.
    func issue(_ request: CertificateSigningRequest) throws -> [UInt8] {
        let certificate = try Self.sign(
            request.subject,
            request.publicKey,
            isAuthority: false,
            issuer: issuer.certificate.subject,
            by: issuer.key
        )
        return try Holder(certificate: certificate, key: issuer.key).der
    }

    static func make(_ name: String, isAuthority: Bool, by issuer: Holder?) throws -> Holder {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName(name) }
        let certificate = try sign(
            subject,
            Certificate.PublicKey(key.publicKey),
            isAuthority: isAuthority,
            issuer: issuer?.certificate.subject ?? subject,
            by: issuer?.key ?? key
        )
        return Holder(certificate: certificate, key: key)
    }

    private static func sign(
        _ subject: DistinguishedName,
        _ key: Certificate.PublicKey,
        isAuthority: Bool,
        issuer: DistinguishedName,
        by signer: P256.Signing.PrivateKey
    ) throws -> Certificate {
        let now = Date()
        return try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key,
            notValidBefore: now - 60,
            notValidAfter: now + 3600,
            issuer: issuer,
            subject: subject,
            extensions: Certificate.Extensions {
                if isAuthority {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                    Critical(KeyUsage(keyCertSign: true))
                } else {
                    Critical(BasicConstraints.notCertificateAuthority)
                    SubjectAlternativeNames([.dnsName("localhost")])
                }
            },
            issuerPrivateKey: Certificate.PrivateKey(signer)
        )
    }
}
