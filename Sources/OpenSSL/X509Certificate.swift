import COpenSSL

/// A certificate for libcrypto's own use: the owner of one `X509`. What devices send is parsed elsewhere, in Swift.
@safe struct X509Certificate: ~Copyable {
    /// The most octets of a certificate that is read.
    static let octetsMax = 64 * 1024

    let pointer: OpaquePointer

    /// Reads one certificate, DER, with nothing after it.
    init(der: [UInt8]) throws(OpenSSLError) {
        let operation = "read the certificate"
        guard !der.isEmpty, der.count <= Self.octetsMax else {
            throw OpenSSLError(operation: operation, reasons: ["it must have 1 to \(Self.octetsMax) octets of DER"])
        }
        ErrorQueue.clear()
        let (parsed, read): (OpaquePointer?, Int) = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            let parsed = unsafe d2i_X509(nil, &cursor, buffer.count)
            return unsafe (parsed, cursor.flatMap { end in unsafe buffer.baseAddress.map { unsafe end - $0 } } ?? 0)
        }
        guard let parsed = unsafe parsed else { throw ErrorQueue.drain(operation) }
        guard read == der.count else {
            unsafe X509_free(parsed)
            throw OpenSSLError(operation: operation, reasons: ["octets follow its end"])
        }
        unsafe pointer = parsed
    }

    deinit { unsafe X509_free(pointer) }

    /// The subject as it stands in the certificate, DER.
    var subject: [UInt8] {
        get throws(OpenSSLError) {
            ErrorQueue.clear()
            var encoded: UnsafeMutablePointer<UInt8>?
            let count = unsafe i2d_X509_NAME(X509_get_subject_name(pointer), &encoded)
            guard count > 0, let encoded = unsafe encoded else { throw ErrorQueue.drain("read the subject") }
            defer { unsafe muster_openssl_free(encoded) }
            return unsafe [UInt8](UnsafeBufferPointer(start: encoded, count: Int(count)))
        }
    }

    /// True if `signature` is one over `message` by this certificate's key.
    /// - Parameter digest: Nil where the key's algorithm has its own.
    func verifies(
        _ signature: [UInt8],
        over message: [UInt8],
        digest: DigestAlgorithm?
    ) throws(OpenSSLError) -> Bool {
        let operation = "verify a signature"
        ErrorQueue.clear()
        guard let key = unsafe X509_get0_pubkey(pointer), let context = unsafe EVP_MD_CTX_new() else {
            throw ErrorQueue.drain(operation)
        }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit(context, nil, digest?.method, nil, key) == 1 else {
            throw ErrorQueue.drain(operation)
        }
        defer { ErrorQueue.clear() }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// The DER of a certificate that libcrypto lends.
    static func der(of certificate: OpaquePointer) throws(OpenSSLError) -> [UInt8] {
        ErrorQueue.clear()
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509(certificate, &encoded)
        guard count > 0, let encoded = unsafe encoded else { throw ErrorQueue.drain("encode the certificate") }
        defer { unsafe muster_openssl_free(encoded) }
        return unsafe [UInt8](UnsafeBufferPointer(start: encoded, count: Int(count)))
    }
}
