package import Foundation
package import OpenSSL
package import PKI
import SwiftASN1
package import X509

/// A CA made for a test: its key and its certificate.
package struct TestAuthority: Sendable {
    package let key: PrivateKey
    package let der: [UInt8]
    package let certificate: Certificate

    package init(key: PrivateKey, der: [UInt8]) throws {
        self.key = key
        self.der = der
        certificate = try Certificate(derEncoded: der)
    }

    /// A self-signed CA.
    package static func selfSigned(
        _ commonName: String,
        role: CertificateAuthority.Role = .root,
        algorithm: KeyAlgorithm = .ecdsaP256,
        now: Date = TestClock.start
    ) throws -> TestAuthority {
        let key = try PrivateKey.generate(algorithm)
        let der = try CertificateAuthority.selfSigned(
            commonName: commonName,
            organization: "Example Works",
            role: role,
            key: key,
            now: now
        )
        return try TestAuthority(key: key, der: der)
    }

    /// A certificate that this CA signs, with a key of its own: an issuing CA, a trust-store signer, a server.
    package func signed(
        _ commonName: String,
        role: CertificateAuthority.Role = .issuing,
        algorithm: KeyAlgorithm = .ecdsaP256,
        lifetime: Duration = CertificateAuthority.issuingLifetime,
        now: Date = TestClock.start
    ) throws -> TestAuthority {
        let key = try PrivateKey.generate(algorithm)
        let der = try CertificateAuthority.signed(
            commonName: commonName,
            organization: "Example Works",
            role: role,
            publicKey: CertificateAuthority.publicKey(of: key),
            issuer: self.der,
            issuerKey: self.key,
            lifetime: lifetime,
            now: now
        )
        return try TestAuthority(key: key, der: der)
    }

    /// This CA as the issuing one, with those above it, root last.
    package func chain(_ above: TestAuthority...) throws -> CACertificateChain {
        try CACertificateChain(der: [der] + above.map(\.der), now: certificate.notValidBefore)
    }
}
