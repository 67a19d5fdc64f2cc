import Crypto
package import Foundation
package import OpenSSL
package import SwiftASN1
package import X509

/// A CA's private key, wherever it lives, as swift-certificates wants one.
package struct SigningKey: CustomPrivateKey, Sendable {
    private let key: PrivateKey
    /// The same key for swift-crypto, whose P-256 signature takes less than half of libcrypto's time; nil for a key of another
    /// kind or in a token.
    private let p256: P256.Signing.PrivateKey?
    package let publicKey: Certificate.PublicKey
    /// The algorithm that this key signs certificates with: SHA-256 or better (K-05), the curve's own size for ECDSA.
    package let defaultSignatureAlgorithm: Certificate.SignatureAlgorithm
    private let digest: DigestAlgorithm

    /// Wraps `key`; fails where its public half is of a kind that cannot sign certificates.
    package init(_ key: PrivateKey) throws {
        self.key = key
        p256 = try unsafe key.withP256Scalar { scalar in try unsafe P256.Signing.PrivateKey(rawRepresentation: scalar) }
        publicKey = try Certificate.PublicKey(derEncoded: key.subjectPublicKeyInfo)
        switch key.algorithm {
        case .ecdsaP256: (defaultSignatureAlgorithm, digest) = (.ecdsaWithSHA256, .sha256)
        case .ecdsaP384: (defaultSignatureAlgorithm, digest) = (.ecdsaWithSHA384, .sha384)
        case .ecdsaP521: (defaultSignatureAlgorithm, digest) = (.ecdsaWithSHA512, .sha512)
        case .rsa: (defaultSignatureAlgorithm, digest) = (.sha256WithRSAEncryption, .sha256)
        case .ed25519: (defaultSignatureAlgorithm, digest) = (.ed25519, .sha512)
        }
    }

    /// True if a signature takes well under a tenth of a millisecond: of a P-256 key that is in no token.
    var isQuick: Bool { p256 != nil }

    package var supportedSignatureAlgorithms: [Certificate.SignatureAlgorithm] { [defaultSignatureAlgorithm] }

    package func signSynchronously(
        bytes: some DataProtocol,
        signatureAlgorithm: Certificate.SignatureAlgorithm
    ) throws -> Certificate.Signature {
        guard signatureAlgorithm == defaultSignatureAlgorithm else {
            throw SigningError.algorithm("\(signatureAlgorithm) does not fit the CA key")
        }
        return try Certificate.Signature(
            signatureAlgorithm: signatureAlgorithm,
            signatureBytes: ASN1BitString(bytes: signature(over: [UInt8](bytes))[...])
        )
    }

    /// A signature by the default algorithm, as it stands in a certificate's signatureValue (RFC 5280 section 4.1.1.3).
    func signature(over octets: [UInt8]) throws -> [UInt8] {
        if let p256 { return [UInt8](try p256.signature(for: octets).derRepresentation) }
        return try key.sign(octets, digest: digest)
    }

    package static func == (left: SigningKey, right: SigningKey) -> Bool { left.publicKey == right.publicKey }
    package func hash(into hasher: inout Hasher) { hasher.combine(publicKey) }

    package static var defaultPEMDiscriminator: String { "PRIVATE KEY" }
    /// A key that may be in an HSM has no DER or PEM form; this always throws.
    package func serialize(into coder: inout DER.Serializer) throws { throw SigningError.keyStaysInside }
}

/// Why a signature could not be made.
package enum SigningError: Error, Hashable, CustomStringConvertible {
    case algorithm(String)
    case keyStaysInside
    case failed(String)
    /// The signature that came back does not verify: a fault in the key's hardware or memory.
    case faulty

    package var description: String {
        switch self {
        case .algorithm(let why): why
        case .keyStaysInside: "a CA key is not written out"
        case .failed(let why): "signing failed: \(why)"
        case .faulty: "the CA key made a signature that does not verify under its own certificate; check the key store"
        }
    }
}
