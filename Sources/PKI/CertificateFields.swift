import DEROctets

/// Fields of a certificate as they stand in its DER (RFC 5280 section 4.1), which was parsed before.
struct CertificateFields {
    /// The Name, whole.
    let subject: ArraySlice<UInt8>
    /// The SubjectPublicKeyInfo, whole.
    let publicKeyInfo: ArraySlice<UInt8>

    /// Nil if `certificate` is none.
    init?(_ certificate: [UInt8]) {
        // serialNumber, signature, issuer, validity, subject and key, behind the version if there is one.
        let fields = DERElements.signed(in: certificate)
        let version = fields.first?.identifier == DERElement.context0 ? 1 : 0
        guard fields.count > version + 5 else { return nil }
        subject = fields[version + 4].encoded
        publicKeyInfo = fields[version + 5].encoded
    }
}
