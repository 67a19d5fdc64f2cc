import COpenSSL

/// A private key, in memory or in a PKCS#11 token: the owner of one `EVP_PKEY`.
///
/// `@unchecked Sendable`, proved thus: the `EVP_PKEY` is complete before `init` returns and no function of this module
/// changes it afterwards; libcrypto allows any number of threads to read one object at once, and guards the reference
/// counts and caches inside it by its own locks (openssl-threads(7)); each signature has an `EVP_MD_CTX` of its own, of
/// which `prepared` is only read.
/// What a key in a token needs beyond that is proved at `PKCS11Engine`.
@safe package final class PrivateKey: @unchecked Sendable {
    /// RSA moduli, in bits, that are made, read and signed with (K-01).
    package static let rsaBits = 2048...8192

    /// What the key is.
    package let algorithm: KeyAlgorithm
    /// The public half: SubjectPublicKeyInfo, DER (RFC 5280 section 4.1.2.7).
    package let subjectPublicKeyInfo: [UInt8]
    /// True if the key lives in a token, from where it cannot be written out.
    let isInToken: Bool
    let pointer: OpaquePointer
    /// Ready to sign, for the digest that goes with the key; nil where each signature must be prepared anew.
    private let prepared: PreparedSignature?

    /// Takes over `pointer`, which is freed also if this throws.
    init(owning pointer: OpaquePointer, isInToken: Bool = false) throws(OpenSSLError) {
        unsafe self.pointer = unsafe pointer
        self.isInToken = isInToken
        do throws(OpenSSLError) {
            subjectPublicKeyInfo = try unsafe PublicKeyDER.of(pointer)
            algorithm = try unsafe PublicKeyDER.algorithm(of: pointer, publicKeyOctets: subjectPublicKeyInfo.count)
            prepared = isInToken ? nil : try unsafe PreparedSignature(pointer, algorithm)
        } catch {
            // Not every stored property is set yet, so deinit will not run.
            unsafe Self.free(pointer, isInToken: isInToken)
            throw error
        }
    }

    /// Makes a new key by libcrypto's generator.
    package static func generate(_ algorithm: KeyAlgorithm) throws(OpenSSLError) -> PrivateKey {
        let operation = "generate a key of \(algorithm)"
        if case .rsa(let bits) = algorithm, !rsaBits.contains(bits) {
            throw OpenSSLError(
                operation: operation,
                reasons: ["an RSA key has \(rsaBits.lowerBound) to \(rsaBits.upperBound) bits"]
            )
        }
        ErrorQueue.clear()
        let made =
            switch algorithm {
            case .ecdsaP256: unsafe muster_ec_generate("P-256")
            case .ecdsaP384: unsafe muster_ec_generate("P-384")
            case .ecdsaP521: unsafe muster_ec_generate("P-521")
            case .rsa(let bits): unsafe muster_rsa_generate(bits)
            case .ed25519: unsafe muster_ed25519_generate()
            }
        guard let made = unsafe made else { throw ErrorQueue.drain(operation) }
        return try unsafe PrivateKey(owning: made)
    }

    deinit { unsafe Self.free(pointer, isInToken: isInToken) }

    /// Signs `message`. May be called from any number of threads at once; takes CPU time, or a token's time.
    /// - Parameter digest: Ignored by Ed25519, which has its own.
    /// - Returns: ECDSA: the DER of ECDSA-Sig-Value (RFC 3279 section 2.2.3); RSA: PKCS#1 v1.5 (RFC 8017 section 8.2);
    ///   Ed25519: 64 octets (RFC 8032 section 5.1.6).
    package func sign(_ message: [UInt8], digest: DigestAlgorithm) throws(OpenSSLError) -> [UInt8] {
        try whileTokenRests { () throws(OpenSSLError) in try signed(message, digest: digest) }
    }

    /// True if `der`, an X.509 certificate, is for this key's public half.
    package func matches(certificate der: [UInt8]) throws(OpenSSLError) -> Bool {
        let certificate = try X509Certificate(der: der)
        ErrorQueue.clear()
        guard let certified = unsafe X509_get0_pubkey(certificate.pointer) else {
            throw ErrorQueue.drain("read the certificate's public key")
        }
        // Compared by encoding, after libcrypto has normalised both: comparing the objects would ask a key in a token
        // for what it may not give.
        return try unsafe PublicKeyDER.of(certified) == subjectPublicKeyInfo
    }

    /// Runs `body`, which signs with this key: while no other key of a token is opened or freed, if it is in a token.
    func whileTokenRests<Result>(_ body: () throws(OpenSSLError) -> Result) throws(OpenSSLError) -> Result {
        isInToken ? try PKCS11Engine.lock.shared(body) : try body()
    }

    private func signed(_ message: [UInt8], digest: DigestAlgorithm) throws(OpenSSLError) -> [UInt8] {
        let operation = "sign with the key of \(algorithm)"
        ErrorQueue.clear()
        guard let context = unsafe EVP_MD_CTX_new() else { throw ErrorQueue.drain(operation) }
        defer { unsafe EVP_MD_CTX_free(context) }
        if let prepared, prepared.digest == digest {
            guard unsafe EVP_MD_CTX_copy_ex(context, prepared.context) == 1 else { throw ErrorQueue.drain(operation) }
        } else {
            try unsafe Self.prepare(context, pointer, algorithm, digest)
        }
        var count = Int(unsafe EVP_PKEY_get_size(pointer))
        guard count > 0 else { throw ErrorQueue.drain(operation) }
        var signature = [UInt8](repeating: 0, count: count)
        guard unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else {
            throw ErrorQueue.drain(operation)
        }
        signature.removeLast(signature.count - count)
        return signature
    }

    fileprivate static func prepare(
        _ context: OpaquePointer,
        _ key: OpaquePointer,
        _ algorithm: KeyAlgorithm,
        _ digest: DigestAlgorithm
    ) throws(OpenSSLError) {
        let method = unsafe algorithm == .ed25519 ? nil : digest.method
        guard unsafe EVP_DigestSignInit(context, nil, method, nil, key) == 1 else {
            throw ErrorQueue.drain("sign with the key of \(algorithm)")
        }
    }

    private static func free(_ pointer: OpaquePointer, isInToken: Bool) {
        if isInToken {
            PKCS11Engine.lock.alone { unsafe EVP_PKEY_free(pointer) }
        } else {
            unsafe EVP_PKEY_free(pointer)
        }
    }
}

/// A signing context that each ECDSA signature begins as a copy of: to look the algorithms up in their providers each
/// time would cost more than the signature. It keeps a reference to the key, and nothing changes it after `init`.
@safe private final class PreparedSignature {
    let context: OpaquePointer
    let digest: DigestAlgorithm

    /// Nil for keys whose signatures cost far more than their preparation.
    init?(_ key: OpaquePointer, _ algorithm: KeyAlgorithm) throws(OpenSSLError) {
        switch algorithm {
        case .ecdsaP256: digest = .sha256
        case .ecdsaP384: digest = .sha384
        case .ecdsaP521: digest = .sha512
        case .rsa, .ed25519: return nil
        }
        guard let made = unsafe EVP_MD_CTX_new() else { throw ErrorQueue.drain("prepare to sign") }
        unsafe context = made
        try unsafe PrivateKey.prepare(context, key, algorithm, digest)
    }

    deinit { unsafe EVP_MD_CTX_free(context) }
}

/// What an `EVP_PKEY` says of its public half.
private enum PublicKeyDER {
    /// The octets of a SubjectPublicKeyInfo with a named curve and an uncompressed point: all else (explicit
    /// parameters, compressed points) is longer or shorter, and refused (K-02).
    private static let octetsP256 = 91
    private static let octetsP384 = 120
    private static let octetsP521 = 158
    private static let curveNameOctetsMax = 64

    static func of(_ key: OpaquePointer) throws(OpenSSLError) -> [UInt8] {
        ErrorQueue.clear()
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_PUBKEY(key, &encoded)
        guard count > 0, let encoded = unsafe encoded else { throw ErrorQueue.drain("encode the public key") }
        defer { unsafe muster_openssl_free(encoded) }
        return unsafe [UInt8](UnsafeBufferPointer(start: encoded, count: Int(count)))
    }

    static func algorithm(of key: OpaquePointer, publicKeyOctets: Int) throws(OpenSSLError) -> KeyAlgorithm {
        let operation = "use the private key"
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_ED25519:
            return .ed25519
        case EVP_PKEY_RSA:
            let bits = Int(unsafe EVP_PKEY_get_bits(key))
            guard PrivateKey.rsaBits.contains(bits) else {
                let (least, most) = (PrivateKey.rsaBits.lowerBound, PrivateKey.rsaBits.upperBound)
                throw OpenSSLError(
                    operation: operation,
                    reasons: ["it is RSA of \(bits) bits, not \(least) to \(most)"]
                )
            }
            return .rsa(bits: bits)
        case EVP_PKEY_EC:
            var name = [CChar](repeating: 0, count: curveNameOctetsMax)
            var count = 0
            ErrorQueue.clear()
            guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, &count) == 1 else {
                throw ErrorQueue.drain(operation, reason: "its curve has no name")
            }
            let curve = String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            switch (curve, publicKeyOctets) {
            case ("prime256v1", octetsP256): return .ecdsaP256
            case ("secp384r1", octetsP384): return .ecdsaP384
            case ("secp521r1", octetsP521): return .ecdsaP521
            default:
                throw OpenSSLError(
                    operation: operation,
                    reasons: ["its curve must be P-256, P-384 or P-521, by name, with an uncompressed point"]
                )
            }
        default:
            throw OpenSSLError(operation: operation, reasons: ["it must be ECDSA, RSA or Ed25519"])
        }
    }
}
