import COpenSSL

/// The kinds of private key that this module makes, reads and signs with.
package enum KeyAlgorithm: Sendable, Hashable, CustomStringConvertible {
    case ecdsaP256
    case ecdsaP384
    case ecdsaP521
    /// RSA with a modulus of that many bits, `PrivateKey.rsaBits`.
    case rsa(bits: Int)
    case ed25519

    package var description: String {
        switch self {
        case .ecdsaP256: "ECDSA P-256"
        case .ecdsaP384: "ECDSA P-384"
        case .ecdsaP521: "ECDSA P-521"
        case .rsa(let bits): "RSA \(bits)"
        case .ed25519: "Ed25519"
        }
    }

    /// The digest as strong as the key, which CMS messages are signed with (K-05).
    var ownDigest: DigestAlgorithm {
        switch self {
        case .ecdsaP256, .rsa: .sha256
        case .ecdsaP384: .sha384
        case .ecdsaP521, .ed25519: .sha512
        }
    }

    /// AlgorithmIdentifier, DER, of a signature with `ownDigest` (RFC 5758 section 3.2, RFC 4055 section 5, RFC 8410
    /// section 3).
    package var signatureAlgorithm: [UInt8] {
        switch self {
        case .ecdsaP256: [0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02]
        case .ecdsaP384: [0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03]
        case .ecdsaP521: [0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04]
        case .rsa:
            [0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B, 0x05, 0x00]
        case .ed25519: [0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70]
        }
    }
}

/// The digests that signatures are made over. Nothing below SHA-256 is offered (K-05).
package enum DigestAlgorithm: Sendable, Hashable, CaseIterable {
    case sha256
    case sha384
    case sha512

    /// libcrypto's own constant object; it is never freed.
    var method: OpaquePointer? {
        switch self {
        case .sha256: unsafe EVP_sha256()
        case .sha384: unsafe EVP_sha384()
        case .sha512: unsafe EVP_sha512()
        }
    }

    /// libcrypto's number of the digest's object identifier.
    var identifier: Int32 {
        switch self {
        case .sha256: NID_sha256
        case .sha384: NID_sha384
        case .sha512: NID_sha512
        }
    }
}
