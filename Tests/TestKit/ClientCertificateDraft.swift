package import Foundation
import PKI
import SwiftASN1
package import X509

/// A client's certificate as a test wants it: sound as it stands, and broken in the one way that the test chooses.
package struct ClientCertificateDraft: Sendable {
    /// 99991231235959Z, which IEEE 802.1AR uses for "no expiry".
    package static let noExpiry = Date(timeIntervalSince1970: 253_402_300_799)

    package var subject: DistinguishedName
    package var notBefore = TestClock.start.addingTimeInterval(-.day)
    package var notAfter = TestClock.start.addingTimeInterval(365 * .day)
    package var keyUsage: KeyUsage? = KeyUsage(digitalSignature: true)
    package var purposes: [ExtendedKeyUsage.Usage]? = [.clientAuth]
    /// The subject alternative names; none leaves the extension out.
    package var names: [GeneralName] = []
    package var otherExtensions: [Certificate.Extension] = []

    /// A subject of these attributes, each where it is given.
    package init(commonName: String? = nil, serialNumber: String? = nil) throws {
        subject = try DistinguishedName(commonName: commonName, serialNumber: serialNumber)
    }

    /// DER, signed by the CA.
    package func signed(by authority: TestAuthority, for key: Certificate.PublicKey) throws -> [UInt8] {
        let signer = try SigningKey(authority.key)
        return try signed(
            by: Certificate.PrivateKey(signer),
            named: authority.certificate.subject,
            algorithm: signer.defaultSignatureAlgorithm,
            for: key
        )
    }

    /// DER, signed by any key in any CA's name.
    package func signed(
        by issuerKey: Certificate.PrivateKey,
        named issuer: DistinguishedName,
        algorithm: Certificate.SignatureAlgorithm,
        for key: Certificate.PublicKey
    ) throws -> [UInt8] {
        var extensions = otherExtensions
        if let keyUsage { extensions.append(try Certificate.Extension(keyUsage, critical: true)) }
        if let purposes { extensions.append(try Certificate.Extension(ExtendedKeyUsage(purposes), critical: false)) }
        if !names.isEmpty {
            extensions.append(try Certificate.Extension(SubjectAlternativeNames(names), critical: false))
        }
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key,
            notValidBefore: notBefore,
            notValidAfter: notAfter,
            issuer: issuer,
            subject: subject,
            signatureAlgorithm: algorithm,
            extensions: Certificate.Extensions(extensions),
            issuerPrivateKey: issuerKey
        )
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }
}

extension DistinguishedName {
    /// O, then serialNumber and CN where they are given.
    package init(
        organization: String = "Example Works",
        commonName: String? = nil,
        serialNumber: String? = nil
    ) throws {
        var names = [
            RelativeDistinguishedName(.init(type: .RDNAttributeType.organizationName, utf8String: organization))
        ]
        if let serialNumber {
            names.append(
                RelativeDistinguishedName(try .init(type: [2, 5, 4, 5], printableString: serialNumber))
            )
        }
        if let commonName {
            names.append(RelativeDistinguishedName(.init(type: .RDNAttributeType.commonName, utf8String: commonName)))
        }
        self.init(names)
    }
}

extension DistinguishedName {
    /// The name without any part.
    package static var empty: DistinguishedName { DistinguishedName([RelativeDistinguishedName]()) }
}

extension GeneralName {
    /// A hardwareModuleName (RFC 4108 section 5) of this hwSerialNum.
    package static func hardwareModule(_ serialNumber: [UInt8]) throws -> GeneralName {
        let value = HandmadeDER.node(
            HandmadeDER.sequence,
            try HandmadeDER.identifier([1, 3, 6, 1, 4, 1, 32473, 1]),
            HandmadeDER.node(HandmadeDER.octetString, serialNumber)
        )
        return .otherName(
            OtherName(typeID: [1, 3, 6, 1, 5, 5, 7, 8, 4], value: try ASN1Any(derEncoded: DER.parse(value)))
        )
    }
}
