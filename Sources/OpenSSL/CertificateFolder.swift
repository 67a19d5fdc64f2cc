import COpenSSL

/// How OpenSSL finds certificates in a folder (`capath`): by a hash of their subject, and a number for those that share
/// it.
package enum CertificateFolder {
    /// The names of the files for these certificates, in their order, as `openssl rehash` gives them.
    /// - Parameter certificates: DER.
    package static func names(_ certificates: [[UInt8]]) throws(OpenSSLError) -> [String] {
        var counts: [String: Int] = [:]
        var names: [String] = []
        for der in certificates {
            let certificate = try X509Certificate(der: der)
            let digits = String(unsafe X509_subject_name_hash(certificate.pointer), radix: 16)
            let hash = String(repeating: "0", count: max(0, hashDigits - digits.count)) + digits
            names.append("\(hash).\(counts[hash, default: 0])")
            counts[hash, default: 0] += 1
        }
        return names
    }

    private static let hashDigits = 8
}
