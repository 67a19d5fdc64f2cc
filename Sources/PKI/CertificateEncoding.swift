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
    private static let octetString: UInt8 = 0x04
    private static let context3: UInt8 = 0xA3
    /// Of the fields of a TBSCertificate of version 3.
    private static let subjectPosition = 5
    /// Of a usual TBSCertificate.
    private static let octetsUsual = 768

    private let issuerName: [UInt8]
    private let algorithm: [UInt8]

    /// - Parameters:
    ///   - issuer: DER of the issuer's certificate, of version 3.
    ///   - algorithm: DER of the AlgorithmIdentifier that it signs with.
    /// - Returns: Nil if the issuer's certificate has no subject.
    init?(issuer: [UInt8], algorithm: [UInt8]) {
        let fields = DERElements.signed(in: issuer)
        guard fields.count > Self.subjectPosition else { return nil }
        issuerName = Array(fields[Self.subjectPosition].encoded)
        self.algorithm = algorithm
    }

    /// The TBSCertificate of `template`.
    func toBeSigned(_ template: CertificateTemplate) throws -> [UInt8] {
        guard let key = template.key else { throw SigningError.failed("the key is of a kind that is not known") }
        guard let notBefore = DERTime.der(template.notBefore), let notAfter = DERTime.der(template.notAfter) else {
            throw SigningError.failed("the validity is out of range")
        }
        var content: [UInt8] = []
        content.reserveCapacity(Self.octetsUsual)
        content += Self.version
        content += try Self.serialized(template.serialNumber.bytes)
        content += algorithm
        content += issuerName
        DERElement.append(DERElement.sequence, notBefore + notAfter, to: &content)
        content += try Self.serialized(template.subject)
        content += key.der
        let extensions = try Self.sequence(template.extensions)
        DERElement.append(Self.context3, DERElement.encoded(DERElement.sequence, extensions), to: &content)
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
            var content = try serialized(one.oid)
            if one.critical { content += isCritical }
            DERElement.append(octetString, one.value, to: &content)
            DERElement.append(DERElement.sequence, content, to: &sequence)
        }
        return sequence
    }

    private static func serialized(_ value: some DERSerializable) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(value)
        return serializer.serializedBytes
    }
}
