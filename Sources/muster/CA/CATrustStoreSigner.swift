import Foundation
import OpenSSL
import PKI
import X509

/// The certificate that signs trust stores and nothing else, and its new key.
struct CATrustStoreSigner {
    static let fileStem = "truststore-signer"
    static let certificateName = fileStem + ".pem"
    static let keyName = fileStem + ".key"
    static let names = [certificateName, keyName]
    /// What stands behind the CA's name in its common name.
    static let nameSuffix = " Trust Store Signer"

    let der: [UInt8]
    let key: PrivateKey

    /// Makes a key of the kind `algorithm` and a certificate for it under the CA `issuer`.
    init(
        commonName: String,
        organization: String,
        algorithm: KeyAlgorithm,
        issuer: [UInt8],
        issuerKey: PrivateKey,
        now: Date
    ) throws {
        key = try PrivateKey.generate(algorithm)
        der = try CertificateAuthority.signed(
            commonName: commonName,
            organization: organization,
            role: .trustStoreSigner,
            publicKey: CertificateAuthority.publicKey(of: key),
            issuer: issuer,
            issuerKey: issuerKey,
            now: now
        )
    }
}
