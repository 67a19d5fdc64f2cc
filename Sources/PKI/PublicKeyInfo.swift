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

/// What is asked of a public key again and again between request and certificate, worked out once.
package struct PublicKeyFacts: Hashable, Sendable {
    package let kind: PublicKeyKind
    /// The DER of the SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
    package let der: [UInt8]
    /// SHA-256 of the SubjectPublicKeyInfo: the name of the key in the record.
    package let sha256: [UInt8]
    package let subjectKeyIdentifier: SubjectKeyIdentifier

    /// Nil for a key that the library supports and Muster does not know.
    package init?(_ key: Certificate.PublicKey) {
        guard let kind = PublicKeyInfo.kind(of: key), let info = try? PublicKeyInfo.der(of: key),
            let parsed = try? SubjectPublicKey(derEncoded: info)
        else { return nil }
        self.init(kind: kind, info: info[...], key: parsed.key.bytes)
    }

    /// - Parameter standing: The octets of the key where it was read from, if they are known: those of a P-256 key are the
    ///   only ones that it can have.
    init?(_ key: Certificate.PublicKey, standing: ArraySlice<UInt8>?) {
        if let standing, PublicKeyInfo.isP256(standing) {
            self.init(kind: .p256, info: standing, key: standing.suffix(PublicKeyInfo.p256PointOctets))
        } else {
            self.init(key)
        }
    }

    private init(kind: PublicKeyKind, info: ArraySlice<UInt8>, key: ArraySlice<UInt8>) {
        self.kind = kind
        der = [UInt8](info)
        sha256 = [UInt8](SHA256.hash(data: info))
        subjectKeyIdentifier = PublicKeyInfo.subjectKeyIdentifier(of: key)
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
    package static func der(of key: Certificate.PublicKey) throws -> [UInt8] { try key.octets() }

    /// SHA-256 of the key's SubjectPublicKeyInfo: the name of a key in the record.
    package static func sha256(of key: Certificate.PublicKey) throws -> [UInt8] {
        try [UInt8](SHA256.hash(data: der(of: key)))
    }

    /// SHA-256 of the SubjectPublicKeyInfo of `key`, which was read from the certificate of this DER.
    package static func sha256(of key: Certificate.PublicKey, in certificate: [UInt8]) throws -> [UInt8] {
        guard let info = CertificateFields(certificate)?.publicKeyInfo, isP256(info) else {
            return try sha256(of: key)
        }
        return [UInt8](SHA256.hash(data: info))
    }

    /// An uncompressed point: 04, X and Y (SEC 1 section 2.3.3).
    fileprivate static let p256PointOctets = 65
    /// What stands before X and Y in each SubjectPublicKeyInfo of a P-256 key (RFC 5480 section 2).
    private static let p256Prefix: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
        0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ]

    /// True if `info` is the SubjectPublicKeyInfo of a P-256 key as everybody encodes it, the library too: an encoding
    /// by the library, which takes an inversion in the key's field, would give the same octets.
    fileprivate static func isP256(_ info: ArraySlice<UInt8>) -> Bool {
        info.count == p256Prefix.count - 1 + p256PointOctets && info.starts(with: p256Prefix)
    }

    /// The subject key identifier: the leftmost 160 bits of the SHA-256 of the key (RFC 7093 section 2, method 1).
    package static func subjectKeyIdentifier(of key: Certificate.PublicKey) -> SubjectKeyIdentifier {
        subjectKeyIdentifier(of: key.subjectPublicKeyInfoBytes)
    }

    fileprivate static func subjectKeyIdentifier(of bits: ArraySlice<UInt8>) -> SubjectKeyIdentifier {
        SubjectKeyIdentifier(keyIdentifier: ArraySlice(SHA256.hash(data: bits).prefix(20)))
    }
}
