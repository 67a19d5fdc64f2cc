package import Foundation
package import OpenSSL
import SwiftASN1
package import X509

/// The CA of operators' certificates: it says who may knock at the operator front, and nothing about devices. What its
/// certificates allow stands in the record, not in them.
package struct OperatorAuthority: Sendable {
    /// How long an operator's certificate lives unless said otherwise.
    package static let lifetimeStandard: Duration = .seconds(365 * 86_400)
    /// The most octets of PEM that a request is read from.
    package static let pemOctetsMax = 32 * 1024
    private static let organization = "Muster"
    private static let requestTypes: Set<String> = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"]

    package let certificate: Certificate
    /// DER of `certificate`.
    package let der: [UInt8]
    private let key: PrivateKey
    private let lifetime: Duration
    private let keyPolicy: KeyPolicy

    /// An authority whose `key` belongs to `certificate` (DER), which is a CA's.
    package init(
        certificate der: [UInt8],
        key: PrivateKey,
        lifetime: Duration = OperatorAuthority.lifetimeStandard,
        keyPolicy: KeyPolicy = KeyPolicy()
    ) throws(ChainDefect) {
        guard let certificate = try? Certificate(derEncoded: der) else { throw .unreadable(position: 1) }
        guard case .isCertificateAuthority? = try? certificate.extensions.basicConstraints else {
            throw .notAuthority(name: "\(certificate.subject)", why: "basicConstraints does not say CA:TRUE")
        }
        guard (try? key.matches(certificate: der)) == true else { throw .keyMismatch }
        self.certificate = certificate
        self.der = der
        self.key = key
        self.lifetime = lifetime
        self.keyPolicy = keyPolicy
    }

    /// Reads a PKCS#10 request (RFC 2986) in PEM, which proves that its sender holds the key. The names in it do not
    /// count.
    package func verify(request pem: String) throws(OperatorRequestDefect) -> VerifiedRequest {
        guard pem.utf8.count <= Self.pemOctetsMax else { throw .tooLarge(max: Self.pemOctetsMax) }
        guard let documents = try? PEMDocument.parseMultiple(pemString: pem), documents.count == 1,
            let document = documents.first, Self.requestTypes.contains(document.discriminator)
        else { throw .notPEM }
        let request: VerifiedRequest
        do throws(RequestDefect) {
            request = try UnverifiedRequest(der: document.derBytes).verified(keyPolicy)
        } catch {
            throw .request(error)
        }
        guard request.publicKey != certificate.publicKey else { throw .authoritysKey }
        return request
    }

    /// An operator's certificate for the key of a request.
    package func issue(
        to name: OperatorName,
        _ request: VerifiedRequest,
        now: Date
    ) throws(SigningError) -> OperatorCertificate {
        do {
            let der = try CertificateAuthority.signed(
                commonName: name.text,
                organization: Self.organization,
                role: .tlsClient,
                publicKey: request.publicKey,
                issuer: self.der,
                issuerKey: key,
                lifetime: lifetime,
                now: now
            )
            return OperatorCertificate(
                der: der,
                notAfter: try Certificate(derEncoded: der).notValidAfter,
                pem: TrustStore.pem(der) + TrustStore.pem(self.der)
            )
        } catch {
            throw .failed("\(error)")
        }
    }
}

/// An operator's certificate that was signed and has not left yet.
package struct OperatorCertificate: Hashable, Sendable {
    package let der: [UInt8]
    package let notAfter: Date
    /// PEM, the operator's own first, then its CA.
    package let pem: String
}

/// The name of an operator: 1 to 40 of `a-z0-9._-`, a letter or digit first.
package struct OperatorName: Hashable, Sendable, CustomStringConvertible {
    package static let lengthMax = 40

    package let text: String

    /// Nil if `text` is not an operator's name.
    package init?(_ text: String) {
        func isAlphanumeric(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
        guard (1...Self.lengthMax).contains(text.utf8.count), let first = text.utf8.first, isAlphanumeric(first),
            text.utf8.allSatisfy({ isAlphanumeric($0) || [0x2E, 0x5F, 0x2D].contains($0) })
        else { return nil }
        self.text = text
    }

    package var description: String { text }
}

/// Why an operator gets no certificate.
package enum OperatorRequestDefect: Error, Hashable, CustomStringConvertible {
    case tooLarge(max: Int)
    case notPEM
    case request(RequestDefect)
    case authoritysKey

    package var description: String {
        switch self {
        case .tooLarge(let max): "it has more than \(max) octets"
        case .notPEM: "it is not one PKCS#10 request in PEM (BEGIN CERTIFICATE REQUEST)"
        case .request(let defect): defect.description
        case .authoritysKey: "its key is the operator CA's own; make another one"
        }
    }
}
