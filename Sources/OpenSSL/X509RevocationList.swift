import COpenSSL
import Foundation

/// A CRL for libcrypto's own use: the owner of one `X509_CRL`.
@safe struct X509RevocationList: ~Copyable {
    let pointer: OpaquePointer

    /// An empty one, version 2.
    init() throws(OpenSSLError) {
        ErrorQueue.clear()
        guard let made = unsafe X509_CRL_new() else { throw ErrorQueue.drain("make a CRL") }
        guard unsafe X509_CRL_set_version(made, 1) == 1 else {
            unsafe X509_CRL_free(made)
            throw ErrorQueue.drain("make a CRL")
        }
        unsafe pointer = made
    }

    /// Reads one, DER, with nothing after it.
    init(der: [UInt8]) throws(OpenSSLError) {
        let operation = "read the CRL"
        guard !der.isEmpty, der.count <= RevocationList.octetsMax else {
            throw OpenSSLError(
                operation: operation,
                reasons: ["it must have 1 to \(RevocationList.octetsMax) octets of DER"]
            )
        }
        ErrorQueue.clear()
        let (parsed, read): (OpaquePointer?, Int) = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            let parsed = unsafe d2i_X509_CRL(nil, &cursor, buffer.count)
            return unsafe (parsed, cursor.flatMap { end in unsafe buffer.baseAddress.map { unsafe end - $0 } } ?? 0)
        }
        guard let parsed = unsafe parsed else { throw ErrorQueue.drain(operation) }
        guard read == der.count else {
            unsafe X509_CRL_free(parsed)
            throw OpenSSLError(operation: operation, reasons: ["octets follow its end"])
        }
        unsafe pointer = parsed
    }

    deinit { unsafe X509_CRL_free(pointer) }

    /// True if its issuer is `certificate`'s subject, octet by octet in canonical form, and its signature that
    /// certificate's.
    func isSigned(by certificate: borrowing X509Certificate) -> Bool {
        ErrorQueue.clear()
        defer { ErrorQueue.clear() }
        guard let key = unsafe X509_get0_pubkey(certificate.pointer) else { return false }
        return unsafe X509_NAME_cmp(X509_CRL_get_issuer(pointer), X509_get_subject_name(certificate.pointer)) == 0
            && X509_CRL_verify(pointer, key) == 1
    }
}

/// Times of certificates, CRLs and OCSP answers, as libcrypto has them.
enum ASN1Time {
    /// The date of a time that libcrypto lends; nil if it is none.
    static func date(_ time: UnsafePointer<ASN1_TIME>?) -> Date? {
        guard let time = unsafe time else { return nil }
        var parts = unsafe tm()
        guard unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Date(timeIntervalSince1970: Double(unsafe timegm(&parts)))
    }
}
