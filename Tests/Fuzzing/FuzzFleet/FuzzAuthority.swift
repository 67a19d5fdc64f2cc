import Foundation
import FuzzKit
import OpenSSL
import PKI
import SwiftASN1
package import X509

/// A CA that signs what the fuzzer makes, so that a changed certificate still leads to an anchor. Its key is new in each
/// process, which no input depends on.
package struct FuzzAuthority: Sendable {
    package let certificate: Certificate
    package let der: [UInt8]
    let key: PrivateKey
    /// The DER of its name.
    private let name: [UInt8]

    /// From 2025 to 2027, around ``FuzzFleet/now``.
    private static let validity = FuzzDER.node(
        FuzzDER.sequence,
        FuzzDER.node(FuzzDER.utcTime, Array("250101000000Z".utf8)),
        FuzzDER.node(FuzzDER.utcTime, Array("270101000000Z".utf8))
    )

    init(key: PrivateKey, der: [UInt8]) throws {
        self.key = key
        self.der = der
        certificate = try Certificate(derEncoded: der)
        var serializer = DER.Serializer()
        try serializer.serialize(certificate.subject)
        name = serializer.serializedBytes
    }

    /// A CA by itself.
    init(named commonName: String, role: CertificateAuthority.Role) throws {
        let key = try PrivateKey.generate(.ed25519)
        let der = try CertificateAuthority.selfSigned(
            commonName: commonName,
            organization: "Example Works",
            role: role,
            key: key,
            now: FuzzFleet.now
        )
        try self.init(key: key, der: der)
    }

    /// The DER of a certificate for the fuzzer's device key.
    /// - Parameters:
    ///   - subject: The relative names of its subject, in DER.
    ///   - extensions: Its extensions, in DER.
    package func certificate(subject: [UInt8], extensions: [UInt8]) throws -> [UInt8] {
        let content = FuzzDER.node(
            FuzzDER.sequence,
            FuzzDER.node(0xA0, FuzzDER.node(FuzzDER.integer, [2])),
            FuzzDER.node(FuzzDER.integer, [1]),
            FuzzDER.ed25519,
            name,
            Self.validity,
            FuzzDER.node(FuzzDER.sequence, subject),
            FuzzRequest.publicKeyInfo,
            extensions.isEmpty ? [] : FuzzDER.node(0xA3, FuzzDER.node(FuzzDER.sequence, extensions))
        )
        let signature = try key.sign(content, digest: .sha512)
        return FuzzDER.node(FuzzDER.sequence, content, FuzzDER.ed25519, FuzzDER.bits(signature))
    }
}
