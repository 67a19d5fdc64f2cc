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
        SubjectKeyIdentifier(keyIdentifier: ArraySlice(SHA256.hash(data: key.subjectPublicKeyInfoBytes).prefix(20)))
    }
}
