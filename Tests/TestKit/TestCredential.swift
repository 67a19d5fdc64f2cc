import Crypto
package import Enrollment
import SwiftASN1
package import X509

/// A certificate that a client holds, with its key.
package struct TestCredential: Sendable {
    package let key: DeviceKey
    package let der: [UInt8]
    package let certificate: Certificate
    /// What the client sends beside it.
    package var intermediates: [Certificate] = []

    package init(key: DeviceKey, der: [UInt8]) throws {
        self.key = key
        self.der = der
        certificate = try Certificate(derEncoded: der)
    }

    /// SHA-256 of its DER.
    package var sha256: [UInt8] { [UInt8](SHA256.hash(data: der)) }

    /// What the TLS handshake leaves of its holder.
    package var client: PresentedClient {
        .chain(PresentedChain(leaf: certificate, leafDER: der, intermediates: intermediates))
    }
}

extension TestCredential {
    /// A request to renew it with `key`, asking for just the names that it has (EST-32).
    package func renewalRequest(_ key: DeviceKey) throws -> [UInt8] {
        try RequestDraft(
            key,
            subject: certificate.subject,
            names: certificate.extensions.subjectAlternativeNames.map { Array($0) }
        ).der()
    }
}
