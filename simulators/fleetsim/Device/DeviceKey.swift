import ArgumentParser
import Crypto
import CryptoExtras
import X509

/// What kind of operational key the devices of a run make.
enum DeviceKeyKind: String, CaseIterable, Codable, ExpressibleByArgument, Sendable {
    case p256
    case p384
    case rsa2048
    case ed25519

    /// A key for one device. RSA takes tens of milliseconds of CPU, the others microseconds.
    func generate() throws -> Certificate.PrivateKey {
        switch self {
        case .p256: Certificate.PrivateKey(P256.Signing.PrivateKey.quick())
        case .p384: Certificate.PrivateKey(P384.Signing.PrivateKey(compactRepresentable: false))
        case .rsa2048: try Certificate.PrivateKey(_RSA.Signing.PrivateKey(keySize: .bits2048))
        case .ed25519: Certificate.PrivateKey(Curve25519.Signing.PrivateKey())
        }
    }
}

extension P256.Signing.PrivateKey {
    /// How often a scalar is drawn that is no key, before the slow way is taken; one in 2^32 is none.
    private static let drawsMax = 4

    /// A key from the system's random generator, without the self-test that the library adds to its own generation and
    /// that takes eight times as long as the rest.
    static func quick() -> P256.Signing.PrivateKey {
        for _ in 0..<drawsMax {
            let scalar = SymmetricKey(size: .bits256)
            if let key = try? P256.Signing.PrivateKey(rawRepresentation: scalar) { return key }
        }
        return P256.Signing.PrivateKey(compactRepresentable: false)
    }
}
