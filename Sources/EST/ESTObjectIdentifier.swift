package import SwiftASN1

/// The object identifiers of EST's wire forms.
package enum ESTObjectIdentifier {
    /// id-signedData (RFC 5652 section 5.1).
    package static let signedData: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 7, 2]
    /// id-data (RFC 5652 section 4).
    package static let data: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 7, 1]
    /// challengePassword (RFC 2985 section 5.4.1): in csrattrs, the demand for proof of possession by channel binding.
    package static let challengePassword: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 7]
    /// id-ExtensionReq (RFC 2985 section 5.4.2).
    package static let extensionRequest: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 14]
    /// id-aa-certificationRequestInfoTemplate (RFC 9908 section 3.4).
    package static let requestInfoTemplate: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 16, 2, 61]
    /// id-aa-extensionReqTemplate (RFC 9908 section 3.4).
    package static let extensionRequestTemplate: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 9, 16, 2, 62]
    /// id-ecPublicKey (RFC 5480).
    package static let ecPublicKey: ASN1ObjectIdentifier = [1, 2, 840, 10_045, 2, 1]
    /// rsaEncryption (RFC 3279).
    package static let rsaEncryption: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 1, 1]
    /// id-Ed25519 (RFC 8410), key type and signature algorithm in one.
    package static let ed25519: ASN1ObjectIdentifier = [1, 3, 101, 112]
    /// secp256r1 (RFC 5480).
    package static let p256: ASN1ObjectIdentifier = [1, 2, 840, 10_045, 3, 1, 7]
    /// secp384r1 (RFC 5480).
    package static let p384: ASN1ObjectIdentifier = [1, 3, 132, 0, 34]
    /// ecdsa-with-SHA256 (RFC 5758).
    package static let ecdsaWithSHA256: ASN1ObjectIdentifier = [1, 2, 840, 10_045, 4, 3, 2]
    /// ecdsa-with-SHA384 (RFC 5758).
    package static let ecdsaWithSHA384: ASN1ObjectIdentifier = [1, 2, 840, 10_045, 4, 3, 3]
    /// sha256WithRSAEncryption (RFC 4055).
    package static let sha256WithRSA: ASN1ObjectIdentifier = [1, 2, 840, 113_549, 1, 1, 11]
    /// subjectAltName (RFC 5280 section 4.2.1.6).
    package static let subjectAltName: ASN1ObjectIdentifier = [2, 5, 29, 17]
}
