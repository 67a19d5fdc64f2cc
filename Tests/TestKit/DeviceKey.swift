import Crypto
import CryptoExtras
import PKI
package import X509

/// A device's key pair, made with another library than the one that the CAs sign with.
package struct DeviceKey: Sendable {
    /// The kinds that devices are made with.
    package enum Kind: String, CaseIterable, Sendable {
        case p256, p384, p521, rsa2048, ed25519
    }

    package let privateKey: Certificate.PrivateKey

    package init(_ privateKey: Certificate.PrivateKey) { self.privateKey = privateKey }

    /// A fresh key. RSA keys take a moment each.
    package static func make(_ kind: Kind = .p256) throws -> DeviceKey {
        switch kind {
        case .p256: DeviceKey(Certificate.PrivateKey(P256.Signing.PrivateKey()))
        case .p384: DeviceKey(Certificate.PrivateKey(P384.Signing.PrivateKey()))
        case .p521: DeviceKey(Certificate.PrivateKey(P521.Signing.PrivateKey()))
        case .rsa2048: DeviceKey(Certificate.PrivateKey(try _RSA.Signing.PrivateKey(keySize: .bits2048)))
        case .ed25519: DeviceKey(Certificate.PrivateKey(Curve25519.Signing.PrivateKey()))
        }
    }

    package var publicKey: Certificate.PublicKey { privateKey.publicKey }

    /// SHA-256 of its SubjectPublicKeyInfo.
    package var sha256: [UInt8] { get throws { try PublicKeyInfo.sha256(of: publicKey) } }
}
