import COpenSSL
import Foundation

/// What a chain is verified against: the owner of one `X509_STORE`.
@safe struct AnchorStore: ~Copyable {
    /// Links between the signer's certificate and the anchor.
    private static let chainDepthMax: Int32 = 8
    /// libcrypto's security level for the chain: keys and digests of 112 bits and more, so no SHA-1 (K-05).
    private static let securityLevel: Int32 = 2

    let pointer: OpaquePointer

    /// Anchors are DER, self-signed; chains hold if they do at `time`, for any purpose.
    init(anchors: [[UInt8]], time: Date) throws(OpenSSLError) {
        let operation = "prepare the trust anchors"
        guard !anchors.isEmpty, anchors.count <= CMSSignedData.certificatesMax else {
            throw OpenSSLError(operation: operation, reasons: ["1 to \(CMSSignedData.certificatesMax) are needed"])
        }
        guard let seconds = Int(exactly: time.timeIntervalSince1970.rounded(.down)) else {
            throw OpenSSLError(operation: operation, reasons: ["the time is out of range"])
        }
        ErrorQueue.clear()
        guard let store = unsafe X509_STORE_new() else { throw ErrorQueue.drain(operation) }
        do throws(OpenSSLError) {
            for der in anchors {
                let anchor = try X509Certificate(der: der)
                guard unsafe X509_STORE_add_cert(store, anchor.pointer) == 1 else { throw ErrorQueue.drain(operation) }
            }
            guard let parameters = unsafe X509_STORE_get0_param(store),
                unsafe X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY) == 1
            else { throw ErrorQueue.drain(operation) }
            unsafe X509_VERIFY_PARAM_set_time(parameters, seconds)
            unsafe X509_VERIFY_PARAM_set_depth(parameters, Self.chainDepthMax)
            unsafe X509_VERIFY_PARAM_set_auth_level(parameters, Self.securityLevel)
        } catch {
            unsafe X509_STORE_free(store)
            throw error
        }
        unsafe pointer = store
    }

    deinit { unsafe X509_STORE_free(pointer) }
}
