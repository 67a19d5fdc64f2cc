import COpenSSL
package import Foundation

extension CMSSignedData {
    /// What a message says, once verified.
    package struct VerifiedContent: Sendable, Hashable {
        package let content: [UInt8]
        /// DER. That it chains to an anchor says nothing of what it is for: the caller checks its names and usages.
        package let signerCertificate: [UInt8]
    }

    /// Verifies a message with its content inside and exactly one signer, whose certificate chains to one of `anchors`
    /// at `time`, for any purpose.
    ///
    /// Refused are also: octets after the message; a signature without signed attributes, since its value could be
    /// passed off as one over other content; and digests below SHA-256 (K-05).
    /// - Parameter anchors: Self-signed certificates, DER.
    package static func verify(
        _ der: [UInt8],
        anchors: [[UInt8]],
        at time: Date
    ) throws(OpenSSLError) -> VerifiedContent {
        let message = try CMSMessage(der: der)
        try message.checkForm()
        return try message.verify(against: AnchorStore(anchors: anchors, time: time))
    }
}

/// A message as it came: the owner of one `CMS_ContentInfo`.
@safe private struct CMSMessage: ~Copyable {
    private static let operation = "verify the signed message"

    private let pointer: OpaquePointer

    init(der: [UInt8]) throws(OpenSSLError) {
        guard !der.isEmpty, der.count <= CMSSignedData.octetsMax else {
            throw Self.refusal("it must have 1 to \(CMSSignedData.octetsMax) octets")
        }
        ErrorQueue.clear()
        let (parsed, read): (OpaquePointer?, Int) = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            let parsed = unsafe d2i_CMS_ContentInfo(nil, &cursor, buffer.count)
            return unsafe (parsed, cursor.flatMap { end in unsafe buffer.baseAddress.map { unsafe end - $0 } } ?? 0)
        }
        guard let parsed = unsafe parsed else { throw ErrorQueue.drain(Self.operation, reason: "it is not CMS in DER") }
        guard read == der.count else {
            unsafe CMS_ContentInfo_free(parsed)
            throw Self.refusal("octets follow its end")
        }
        unsafe pointer = parsed
    }

    deinit { unsafe CMS_ContentInfo_free(pointer) }

    /// Refuses what is not SignedData over plain data, attached, with one signer.
    func checkForm() throws(OpenSSLError) {
        guard unsafe OBJ_obj2nid(CMS_get0_type(pointer)) == NID_pkcs7_signed else {
            throw Self.refusal("it is not SignedData")
        }
        guard unsafe OBJ_obj2nid(CMS_get0_eContentType(pointer)) == NID_pkcs7_data else {
            throw Self.refusal("its content is not of type data")
        }
        // The content is detached where there is no place for it (1), or the place is empty.
        guard unsafe CMS_is_detached(pointer) == 0, let place = unsafe CMS_get0_content(pointer),
            unsafe place.pointee != nil
        else { throw Self.refusal("its content is detached; it must be inside") }
        let signer = try unsafe onlySigner()
        guard unsafe CMS_signed_get_attr_count(signer) > 0 else {
            throw Self.refusal("its signature has no signed attributes")
        }
        var digest: UnsafeMutablePointer<X509_ALGOR>?
        unsafe CMS_SignerInfo_get0_algs(signer, nil, nil, &digest, nil)
        guard let digest = unsafe digest else { throw Self.refusal("it names no digest") }
        let identifier = unsafe OBJ_obj2nid(digest.pointee.algorithm)
        guard DigestAlgorithm.allCases.contains(where: { $0.identifier == identifier }) else {
            throw Self.refusal("its digest must be SHA-256, SHA-384 or SHA-512")
        }
        ErrorQueue.clear()
        if let certificates = unsafe CMS_get1_certs(pointer) {
            let count = unsafe muster_x509_stack_count(certificates)
            unsafe muster_x509_stack_free(certificates)
            guard count <= CMSSignedData.certificatesMax else {
                throw Self.refusal("it has more than \(CMSSignedData.certificatesMax) certificates")
            }
        }
    }

    /// Checks chain and signature.
    func verify(against anchors: borrowing AnchorStore) throws(OpenSSLError) -> CMSSignedData.VerifiedContent {
        let content = try MemoryBIO()
        ErrorQueue.clear()
        guard unsafe CMS_verify(pointer, nil, anchors.pointer, nil, content.pointer, UInt32(CMS_BINARY)) == 1 else {
            throw ErrorQueue.drain(Self.operation)
        }
        guard let signers = unsafe CMS_get0_signers(pointer) else { throw ErrorQueue.drain(Self.operation) }
        defer { unsafe muster_x509_stack_free_shallow(signers) }
        guard unsafe muster_x509_stack_count(signers) == 1, let signer = unsafe muster_x509_stack_at(signers, 0) else {
            throw Self.refusal("its signer's certificate is missing")
        }
        return CMSSignedData.VerifiedContent(
            content: content.bytes,
            signerCertificate: try unsafe X509Certificate.der(of: signer)
        )
    }

    private func onlySigner() throws(OpenSSLError) -> OpaquePointer {
        let signers = unsafe CMS_get0_SignerInfos(pointer)
        let count = unsafe signers == nil ? 0 : Int(muster_cms_signer_count(signers))
        guard count == 1, let signer = unsafe muster_cms_signer_at(signers, 0) else {
            throw Self.refusal("it has \(max(count, 0)) signers; exactly one is taken")
        }
        return unsafe signer
    }

    private static func refusal(_ reason: String) -> OpenSSLError {
        OpenSSLError(operation: operation, reasons: [reason])
    }
}
