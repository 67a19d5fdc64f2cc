import COpenSSL

/// Certificates for libcrypto's own use: the owner of one `STACK_OF(X509)` and of a reference to each in it.
@safe struct X509Stack: ~Copyable {
    let pointer: OpaquePointer

    /// Reads them from DER, in that order; at most `CMSSignedData.certificatesMax`.
    init(_ certificates: [[UInt8]]) throws(OpenSSLError) {
        let operation = "read the certificates"
        guard certificates.count <= CMSSignedData.certificatesMax else {
            throw OpenSSLError(
                operation: operation,
                reasons: ["there are more than \(CMSSignedData.certificatesMax) of them"]
            )
        }
        ErrorQueue.clear()
        guard let stack = unsafe muster_x509_stack_new() else { throw ErrorQueue.drain(operation) }
        do throws(OpenSSLError) {
            for der in certificates {
                let certificate = try X509Certificate(der: der)
                guard unsafe muster_x509_stack_add(stack, certificate.pointer) == 1 else {
                    throw ErrorQueue.drain(operation)
                }
            }
        } catch {
            unsafe muster_x509_stack_free(stack)
            throw error
        }
        unsafe pointer = stack
    }

    deinit { unsafe muster_x509_stack_free(pointer) }
}
