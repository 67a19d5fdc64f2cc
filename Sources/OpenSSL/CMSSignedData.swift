import COpenSSL
package import Foundation

/// Signed messages: CMS SignedData (RFC 5652 section 5), DER, with the content inside.
package enum CMSSignedData {
    /// The most octets of a message that is read, and of a content that is signed.
    package static let octetsMax = 1 << 20
    /// The most certificates in a message or in a set of anchors.
    package static let certificatesMax = 64

    /// Signs `content`. The message carries the signer's certificate and its chain, and signs the time with the content
    /// (RFC 5652 section 11.3), so that whoever holds only the root can verify it.
    /// - Parameters:
    ///   - signerCertificate: DER, for `key`'s public half.
    ///   - key: ECDSA or RSA; libcrypto 3.0 knows no Ed25519 in CMS (RFC 8419), which is an error that says so.
    ///   - chain: DER, the signer's issuer first; the root may be left out. What comes twice, or is the signer's own
    ///     certificate, is taken once.
    ///   - signingTime: To the second.
    package static func sign(
        content: [UInt8],
        signerCertificate: [UInt8],
        key: PrivateKey,
        chain: [[UInt8]],
        signingTime: Date
    ) throws(OpenSSLError) -> [UInt8] {
        let operation = "sign the message"
        guard key.algorithm != .ed25519 else {
            throw OpenSSLError(operation: operation, reasons: ["an Ed25519 key cannot sign CMS here; use ECDSA or RSA"])
        }
        guard content.count <= octetsMax else {
            throw OpenSSLError(operation: operation, reasons: ["its content has more than \(octetsMax) octets"])
        }
        guard try key.matches(certificate: signerCertificate) else {
            throw OpenSSLError(operation: operation, reasons: ["the signer's certificate is not for the signer's key"])
        }
        return try key.whileTokenRests { () throws(OpenSSLError) in
            try signed(content, signerCertificate: signerCertificate, key: key, chain: chain, signingTime: signingTime)
        }
    }

    private static func signed(
        _ content: [UInt8],
        signerCertificate: [UInt8],
        key: PrivateKey,
        chain: [[UInt8]],
        signingTime: Date
    ) throws(OpenSSLError) -> [UInt8] {
        let operation = "sign the message"
        let signer = try X509Certificate(der: signerCertificate)
        var seen: Set = [signerCertificate]
        let extras = try X509Stack(chain.filter { seen.insert($0).inserted })
        let data = try MemoryBIO(content)
        ErrorQueue.clear()
        let partial = UInt32(CMS_BINARY | CMS_PARTIAL | CMS_NOSMIMECAP)
        guard let message = unsafe CMS_sign(nil, nil, extras.pointer, data.pointer, partial) else {
            throw ErrorQueue.drain(operation)
        }
        defer { unsafe CMS_ContentInfo_free(message) }
        let digest = key.algorithm.ownDigest
        // The key's match was checked above, by encoding; libcrypto checks it again in its own way.
        guard
            let information = unsafe CMS_add1_signer(message, signer.pointer, key.pointer, digest.method, partial)
        else { throw ErrorQueue.drain(operation) }
        try unsafe set(signingTime, on: information, operation: operation)
        guard unsafe CMS_final(message, data.pointer, nil, UInt32(CMS_BINARY)) == 1 else {
            throw ErrorQueue.drain(operation)
        }
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_CMS_ContentInfo(message, &encoded)
        guard count > 0, let encoded = unsafe encoded else { throw ErrorQueue.drain(operation) }
        defer { unsafe muster_openssl_free(encoded) }
        return unsafe [UInt8](UnsafeBufferPointer(start: encoded, count: Int(count)))
    }

    /// Adds the signed attribute: UTCTime through 2049, GeneralizedTime from 2050 (RFC 5652 section 11.3): the choice
    /// that ASN1_TIME_set makes.
    private static func set(
        _ time: Date,
        on signer: OpaquePointer,
        operation: String
    ) throws(OpenSSLError) {
        guard let seconds = Int(exactly: time.timeIntervalSince1970.rounded(.down)),
            let value = unsafe ASN1_TIME_set(nil, seconds)
        else { throw ErrorQueue.drain(operation, reason: "its time is out of range") }
        defer { unsafe ASN1_TIME_free(value) }
        let kind = unsafe ASN1_STRING_type(value)
        guard unsafe CMS_signed_add1_attr_by_NID(signer, NID_pkcs9_signingTime, kind, value, -1) == 1 else {
            throw ErrorQueue.drain(operation)
        }
    }
}
