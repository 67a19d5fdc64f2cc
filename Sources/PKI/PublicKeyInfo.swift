import Crypto
import CryptoExtras
import OpenSSL
import SwiftASN1
package import X509

/// What kind of key a certificate or request holds, as policies speak of it.
package enum PublicKeyKind: Hashable, Sendable, CustomStringConvertible {
    case p256, p384, p521
    case rsa(bits: Int)
    case ed25519

    package var description: String {
        switch self {
        case .p256: "ECDSA P-256"
        case .p384: "ECDSA P-384"
        case .p521: "ECDSA P-521"
        case .rsa(let bits): "RSA \(bits)"
        case .ed25519: "Ed25519"
        }
    }
}

/// What is asked of a public key again and again between request and certificate. It is worked out once, since its
/// encoding takes an inversion in the key's field each time.
package struct PublicKeyFacts: Hashable, Sendable {
    package let kind: PublicKeyKind
    /// SHA-256 of the SubjectPublicKeyInfo: the name of the key in the record.
    package let sha256: [UInt8]
    package let subjectKeyIdentifier: SubjectKeyIdentifier

    /// Nil for a key that the library supports and Muster does not know.
    package init?(_ key: Certificate.PublicKey) {
        guard let kind = PublicKeyInfo.kind(of: key), let info = try? PublicKeyInfo.der(of: key),
            let parsed = try? SubjectPublicKey(derEncoded: info)
        else { return nil }
        self.kind = kind
        sha256 = [UInt8](SHA256.hash(data: info))
        subjectKeyIdentifier = PublicKeyInfo.subjectKeyIdentifier(of: parsed.key.bytes)
    }
}

/// The two parts of a SubjectPublicKeyInfo (RFC 5280 section 4.1).
private struct SubjectPublicKey: DERParseable {
    let key: ASN1BitString

    init(derEncoded node: ASN1Node) throws {
        key = try DER.sequence(node, identifier: .sequence) { nodes in
            _ = nodes.next()
            return try ASN1BitString(derEncoded: &nodes)
        }
    }
}

/// Facts about a public key that the library that parsed it does not give by itself.
package enum PublicKeyInfo {
    /// The kind of `key`, or nil where the library supports a kind that Muster does not know.
    package static func kind(of key: Certificate.PublicKey) -> PublicKeyKind? {
        if P256.Signing.PublicKey(key) != nil { return .p256 }
        if P384.Signing.PublicKey(key) != nil { return .p384 }
        if P521.Signing.PublicKey(key) != nil { return .p521 }
        if Curve25519.Signing.PublicKey(key) != nil { return .ed25519 }
        if let rsa = _RSA.Signing.PublicKey(key) { return .rsa(bits: rsa.keySizeInBits) }
        return nil
    }

    /// The DER of the key's SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    package static func der(of key: Certificate.PublicKey) throws -> [UInt8] {
        var serializer = DER.Serializer()
        try serializer.serialize(key)
        return serializer.serializedBytes
    }

    /// SHA-256 of the key's SubjectPublicKeyInfo: the name of a key in the record.
    package static func sha256(of key: Certificate.PublicKey) throws -> [UInt8] {
        try [UInt8](SHA256.hash(data: der(of: key)))
    }

    /// The subject key identifier: the leftmost 160 bits of the SHA-256 of the key (RFC 7093 section 2, method 1).
    package static func subjectKeyIdentifier(of key: Certificate.PublicKey) -> SubjectKeyIdentifier {
        subjectKeyIdentifier(of: key.subjectPublicKeyInfoBytes)
    }

    fileprivate static func subjectKeyIdentifier(of bits: ArraySlice<UInt8>) -> SubjectKeyIdentifier {
        SubjectKeyIdentifier(keyIdentifier: ArraySlice(SHA256.hash(data: bits).prefix(20)))
    }
}
