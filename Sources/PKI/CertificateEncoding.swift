import DEROctets
import SwiftASN1
import X509

/// Puts the certificates of one issuer together (RFC 5280 section 4.1). The issuer's name and the device's key stand in them
/// as in the issuer's certificate and in the request, octet for octet: path builders compare octets, and a key that is
/// encoded anew costs an inversion in its field. swift-certificates would also move each content to make room for its length.
struct CertificateEncoding: Sendable {
    /// Version 3, with its tag.
    private static let version: [UInt8] = [0xA0, 0x03, 0x02, 0x01, 0x02]
    private static let isCritical: [UInt8] = [0x01, 0x01, 0xFF]
    /// Of a usual TBSCertificate.
    private static let octetsUsual = 768

    /// DER of the issuer's Name, as its certificate has it.
    let issuerName: [UInt8]
    /// DER of the AlgorithmIdentifier that it signs with.
    let algorithm: [UInt8]

    /// The TBSCertificate of `template`.
    func toBeSigned(_ template: CertificateTemplate) throws -> [UInt8] {
        guard let notBefore = DERTime.der(template.notBefore), let notAfter = DERTime.der(template.notAfter) else {
            throw SigningError.failed("the validity is out of range")
        }
        var content: [UInt8] = []
        content.reserveCapacity(Self.octetsUsual)
        content += Self.version
        content += try template.serialNumber.bytes.octets()
        content += algorithm
        content += issuerName
        DERElement.append(DERElement.sequence, notBefore + notAfter, to: &content)
        content += try template.subject.octets()
        content += template.key.der
        let extensions = try Self.sequence(template.extensions)
        DERElement.append(DERElement.context3, DERElement.encoded(DERElement.sequence, extensions), to: &content)
        return DERElement.encoded(DERElement.sequence, content)
    }

    /// The certificate: what was signed, and its signature.
    func certificate(_ signed: [UInt8], signature: [UInt8]) -> [UInt8] {
        var content = signed
        content += algorithm
        // No bit of the last octet is unused.
        DERElement.append(DERElement.bitString, [0] + signature, to: &content)
        return DERElement.encoded(DERElement.sequence, content)
    }

    private static func sequence(_ extensions: Certificate.Extensions) throws -> [UInt8] {
        var sequence: [UInt8] = []
        sequence.reserveCapacity(octetsUsual)
        for one in extensions {
            var content = try one.oid.octets()
            if one.critical { content += isCritical }
            DERElement.append(DERElement.octetString, one.value, to: &content)
            DERElement.append(DERElement.sequence, content, to: &sequence)
        }
        return sequence
    }
}
