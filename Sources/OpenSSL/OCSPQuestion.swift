import COpenSSL
package import Foundation

/// What a relying party asks an OCSP responder about one certificate, and how it reads the answer, both by libcrypto
/// (RFC 6960).
package struct OCSPQuestion: Hashable, Sendable {
    /// The most octets of an answer that is read.
    package static let answerOctetsMax = 64 * 1024
    /// What an answer may lie ahead of the clock, in seconds.
    private static let skewSeconds = 300

    /// What the responder says.
    package struct Answer: Hashable, Sendable {
        package enum Status: Hashable, Sendable {
            case good
            /// The reason is a code of RFC 5280 section 5.3.1; 0 where none is said.
            case revoked(reason: Int, at: Date)
            case unknown
        }

        package let status: Status
        package let thisUpdate: Date
        /// Nil if newer information is to be had at any time.
        package let nextUpdate: Date?
    }

    /// DER of the issuing CA's certificate.
    package let issuer: [UInt8]
    /// Big-endian, positive.
    package let serialNumber: [UInt8]
    /// How the request names the issuer.
    package let digest: DigestAlgorithm?

    /// - Parameter digest: Nil for SHA-1, by which most clients name issuers.
    package init(issuer: [UInt8], serialNumber: [UInt8], digest: DigestAlgorithm? = nil) {
        self.issuer = issuer
        self.serialNumber = serialNumber
        self.digest = digest
    }

    /// The request without a nonce, DER.
    package func request() throws(OpenSSLError) -> [UInt8] {
        let operation = "make an OCSP request"
        let id = try certificateID()
        ErrorQueue.clear()
        guard let request = unsafe OCSP_REQUEST_new() else { throw ErrorQueue.drain(operation) }
        defer { unsafe OCSP_REQUEST_free(request) }
        guard let copy = unsafe OCSP_CERTID_dup(id.pointer) else { throw ErrorQueue.drain(operation) }
        guard unsafe OCSP_request_add0_id(request, copy) != nil else {
            unsafe OCSP_CERTID_free(copy)
            throw ErrorQueue.drain(operation)
        }
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_OCSP_REQUEST(request, &encoded)
        guard count > 0, let encoded = unsafe encoded else { throw ErrorQueue.drain(operation) }
        defer { unsafe muster_openssl_free(encoded) }
        return unsafe [UInt8](UnsafeBufferPointer(start: encoded, count: Int(count)))
    }

    /// Reads the answer and verifies that the issuer, or a responder that it has certified, signed it.
    /// - Parameters:
    ///   - der: OCSPResponse.
    ///   - root: DER of the CA above the issuer that the answer is to chain to; the issuer itself if it has none.
    ///   - time: When it is to be good.
    package func read(_ der: [UInt8], root: [UInt8], at time: Date) throws(OpenSSLError) -> Answer {
        let operation = "read the OCSP answer"
        guard der.count <= Self.answerOctetsMax else {
            throw OpenSSLError(operation: operation, reasons: ["it has more than \(Self.answerOctetsMax) octets"])
        }
        let id = try certificateID()
        let store = try AnchorStore(anchors: [root], time: time)
        let authorities = try X509Stack([issuer])
        ErrorQueue.clear()
        let parsed: OpaquePointer? = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_OCSP_RESPONSE(nil, &cursor, buffer.count)
        }
        guard let response = unsafe parsed else { throw ErrorQueue.drain(operation) }
        defer { unsafe OCSP_RESPONSE_free(response) }
        let status = unsafe OCSP_response_status(response)
        guard status == OCSP_RESPONSE_STATUS_SUCCESSFUL else {
            let words = unsafe String(cString: OCSP_response_status_str(Int(status)))
            throw OpenSSLError(operation: operation, reasons: ["the responder answers: \(words)"])
        }
        guard let basic = unsafe OCSP_response_get1_basic(response) else { throw ErrorQueue.drain(operation) }
        defer { unsafe OCSP_BASICRESP_free(basic) }
        guard unsafe OCSP_basic_verify(basic, authorities.pointer, store.pointer, 0) == 1 else {
            throw ErrorQueue.drain(operation, reason: "it is not signed as an answer of this issuer")
        }
        return try unsafe answer(basic, id, at: time)
    }

    private func answer(
        _ basic: OpaquePointer,
        _ id: borrowing OCSPCertificateID,
        at time: Date
    ) throws(OpenSSLError) -> Answer {
        let operation = "read the OCSP answer"
        var status: Int32 = -1
        var reason: Int32 = -1
        var revoked: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var this: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var next: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        guard unsafe OCSP_resp_find_status(basic, id.pointer, &status, &reason, &revoked, &this, &next) == 1 else {
            throw ErrorQueue.drain(operation, reason: "it says nothing of this certificate")
        }
        guard let thisUpdate = unsafe ASN1Time.date(UnsafePointer(this)) else {
            throw ErrorQueue.drain(operation, reason: "it has no thisUpdate")
        }
        let nextUpdate = unsafe ASN1Time.date(UnsafePointer(next))
        guard thisUpdate <= time.addingTimeInterval(Double(Self.skewSeconds)), nextUpdate.map({ $0 > time }) ?? true
        else { throw OpenSSLError(operation: operation, reasons: ["it is not good now"]) }
        let said: Answer.Status
        switch status {
        case V_OCSP_CERTSTATUS_GOOD: said = .good
        case V_OCSP_CERTSTATUS_REVOKED:
            guard let at = unsafe ASN1Time.date(UnsafePointer(revoked)) else {
                throw ErrorQueue.drain(operation, reason: "it does not say when the certificate was revoked")
            }
            said = .revoked(reason: Int(max(0, reason)), at: at)
        default: said = .unknown
        }
        return Answer(status: said, thisUpdate: thisUpdate, nextUpdate: nextUpdate)
    }

    private func certificateID() throws(OpenSSLError) -> OCSPCertificateID {
        try OCSPCertificateID(issuer: X509Certificate(der: issuer), serialNumber: serialNumber, digest: digest)
    }
}

/// The owner of one `OCSP_CERTID`.
@safe private struct OCSPCertificateID: ~Copyable {
    let pointer: OpaquePointer

    init(
        issuer: borrowing X509Certificate,
        serialNumber: [UInt8],
        digest: DigestAlgorithm?
    ) throws(OpenSSLError) {
        let operation = "name a certificate for OCSP"
        ErrorQueue.clear()
        guard serialNumber.count <= RevocationList.serialOctetsMax,
            let number = unsafe BN_bin2bn(serialNumber, Int32(serialNumber.count), nil)
        else { throw ErrorQueue.drain(operation) }
        defer { unsafe BN_free(number) }
        guard let serial = unsafe BN_to_ASN1_INTEGER(number, nil) else { throw ErrorQueue.drain(operation) }
        defer { unsafe ASN1_INTEGER_free(serial) }
        let method = unsafe digest.map { unsafe $0.method } ?? EVP_sha1()
        guard
            let made = unsafe OCSP_cert_id_new(
                method,
                X509_get_subject_name(issuer.pointer),
                X509_get0_pubkey_bitstr(issuer.pointer),
                serial
            )
        else { throw ErrorQueue.drain(operation) }
        unsafe pointer = made
    }

    deinit { unsafe OCSP_CERTID_free(pointer) }
}
