import COpenSSL

extension PrivateKey {
    /// The most octets of PEM that a key is read from.
    package static let pemOctetsMax = 64 * 1024
    /// The most octets of a passphrase: libcrypto's own limit for PEM (PEM_BUFSIZE).
    package static let passphraseOctetsMax = 1024
    /// Rounds of PBKDF2 with HMAC-SHA-256 for keys that are written encrypted: about a quarter of a second.
    private static let derivationRounds: Int32 = 600_000

    /// Reads a private key from PEM: PKCS#8, encrypted or not (RFC 5958, RFC 8018), SEC 1 (RFC 5915) or PKCS#1
    /// (RFC 8017). Never asks on a terminal: an encrypted key without a passphrase is an error that says so.
    package convenience init(pem: [UInt8], passphrase: [UInt8]?) throws(OpenSSLError) {
        let operation = "read the private key"
        guard pem.count <= Self.pemOctetsMax else {
            throw OpenSSLError(operation: operation, reasons: ["its PEM has more than \(Self.pemOctetsMax) octets"])
        }
        guard (passphrase?.count ?? 0) <= Self.passphraseOctetsMax else {
            throw OpenSSLError(
                operation: operation,
                reasons: ["the passphrase has more than \(Self.passphraseOctetsMax) octets"]
            )
        }
        let bio = try MemoryBIO(pem, secret: true)
        var answer = PassphraseAnswer(passphrase: passphrase)
        ErrorQueue.clear()
        let read = unsafe withUnsafeMutablePointer(to: &answer) { answer in
            unsafe PEM_read_bio_PrivateKey(bio.pointer, nil, PassphraseAnswer.callback, answer)
        }
        guard let read = unsafe read else {
            let reason: String? =
                switch (answer.wasAsked, passphrase) {
                case (true, nil): "it is encrypted, and no passphrase was given"
                case (true, _): "the passphrase does not open it"
                case (false, _): nil
                }
            throw ErrorQueue.drain(operation, reason: reason)
        }
        try unsafe self.init(owning: read)
    }

    /// Writes the key as PEM of PKCS#8 (RFC 5958). With a passphrase it is encrypted: PBES2 with PBKDF2, HMAC-SHA-256
    /// and AES-256-CBC (RFC 8018 section 6.2). A key in a token is not written out: that throws.
    package func pem(passphrase: [UInt8]?) throws(OpenSSLError) -> [UInt8] {
        let operation = "write the private key"
        guard !isInToken else {
            throw OpenSSLError(operation: operation, reasons: ["it is in a PKCS#11 token, which it does not leave"])
        }
        if let passphrase, passphrase.isEmpty || passphrase.count > Self.passphraseOctetsMax {
            throw OpenSSLError(
                operation: operation,
                reasons: ["a passphrase has 1 to \(Self.passphraseOctetsMax) octets"]
            )
        }
        let bio = try MemoryBIO(secret: true)
        ErrorQueue.clear()
        guard let plain = unsafe EVP_PKEY2PKCS8(pointer) else { throw ErrorQueue.drain(operation) }
        defer { unsafe PKCS8_PRIV_KEY_INFO_free(plain) }
        guard let passphrase else {
            guard unsafe PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio.pointer, plain) == 1 else {
                throw ErrorQueue.drain(operation)
            }
            return bio.bytes
        }
        guard
            let scheme = unsafe PKCS5_pbe2_set_iv(
                EVP_aes_256_cbc(),
                Self.derivationRounds,
                nil,
                0,
                nil,
                NID_hmacWithSHA256
            )
        else { throw ErrorQueue.drain(operation) }
        let sealed = unsafe passphrase.withUnsafeBytes { bytes in
            unsafe PKCS8_set0_pbe(
                bytes.bindMemory(to: CChar.self).baseAddress,
                Int32(clamping: bytes.count),
                plain,
                scheme
            )
        }
        guard let sealed = unsafe sealed else {
            unsafe X509_ALGOR_free(scheme)
            throw ErrorQueue.drain(operation)
        }
        defer { unsafe X509_SIG_free(sealed) }
        guard unsafe PEM_write_bio_PKCS8(bio.pointer, sealed) == 1 else { throw ErrorQueue.drain(operation) }
        return bio.bytes
    }
}

/// What libcrypto hears when it asks for a passphrase.
private struct PassphraseAnswer {
    let passphrase: [UInt8]?
    var wasAsked = false

    init(passphrase: [UInt8]?) { self.passphrase = passphrase }

    /// Copies the passphrase into libcrypto's buffer, or answers -1, which makes the read fail.
    static let callback:
        @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 =
            { buffer, capacity, _, context in
                guard let answer = unsafe context?.assumingMemoryBound(to: PassphraseAnswer.self) else { return -1 }
                unsafe answer.pointee.wasAsked = true
                guard let passphrase = unsafe answer.pointee.passphrase, let buffer = unsafe buffer,
                    passphrase.count <= capacity
                else { return -1 }
                for (offset, octet) in passphrase.enumerated() {
                    unsafe buffer[offset] = CChar(bitPattern: octet)
                }
                return Int32(clamping: passphrase.count)
            }
}
