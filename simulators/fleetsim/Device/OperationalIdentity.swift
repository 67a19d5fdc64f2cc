import SwiftASN1
import X509

/// What a device has once it is enrolled: its operational certificate and key.
struct OperationalIdentity: Sendable {
    /// DER.
    let certificate: [UInt8]
    /// The CAs above it, without the root (DER).
    let chain: [[UInt8]]
    let key: Certificate.PrivateKey

    /// The certificates as PEM, the device's first.
    var certificateChainPEM: String {
        ([certificate] + chain).map { der in
            PEMDocument(type: Certificate.defaultPEMDiscriminator, derBytes: der).pemString + "\n"
        }.joined()
    }

    /// A request for renewal in DER: subject and alternative names are those of the certificate, in exactly its
    /// octets (RFC 7030 section 4.2.2).
    func renewalRequest() throws -> [UInt8] {
        let certificate = try Certificate(derEncoded: certificate)
        let names = try certificate.extensions.subjectAlternativeNames
        let extensions = try Certificate.Extensions { if let names { names } }
        let attributes = try CertificateSigningRequest.Attributes(
            names == nil ? [] : [.init(ExtensionRequest(extensions: extensions))]
        )
        let request = try CertificateSigningRequest(
            version: .v1,
            subject: certificate.subject,
            privateKey: key,
            attributes: attributes
        )
        var serializer = DER.Serializer()
        try serializer.serialize(request)
        return serializer.serializedBytes
    }
}
