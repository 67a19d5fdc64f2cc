import Crypto
import Foundation
package import PKI
import SwiftASN1

/// A trust store that was verified.
package struct VerifiedTrustStore: Codable, Hashable, Sendable {
    /// SHA-256 of its message, lower-case hexadecimal.
    package let sha256: String
    package let content: TrustStoreContent

    package init(sha256: String, content: TrustStoreContent) {
        self.sha256 = sha256
        self.content = content
    }

    /// A CA of the store.
    struct Authority: Hashable, Sendable {
        /// SHA-256 of its certificate, lower-case hexadecimal.
        let sha256: String
        let subject: String
        /// Its certificate.
        let der: [UInt8]
    }

    /// In the store's order. All of them can be read: the message was verified.
    var authorities: [Authority] {
        content.anchors.compactMap { anchor in
            (try? PEMDocument(pemString: anchor.pem)).map { document in
                Authority(sha256: anchor.sha256, subject: anchor.subject, der: [UInt8](document.derBytes))
            }
        }
    }
}

/// Whether a trust store may take the place of the one in force.
struct TrustStoreCheck: Sendable {
    /// What the chains of trust stores' signers end in, DER.
    let anchors: [[UInt8]]
    let fleet: FleetName
    let inForce: VerifiedTrustStore?

    /// - Parameter message: CMS SignedData, DER.
    /// - Returns: The store; nil if it is the one in force.
    func accept(_ message: [UInt8], now: Date) throws -> VerifiedTrustStore? {
        let sha256 = Hex.text(SHA256.hash(data: message))
        guard sha256 != inForce?.sha256 else { return nil }
        let version = inForce?.content.version ?? 0
        let content = try TrustStoreMessage.verify(
            message,
            anchors: anchors,
            fleet: fleet,
            installedVersion: max(0, version - 1),
            now: now
        )
        guard content.version > version else { throw TrustStoreRefusal.sameVersion(version) }
        return VerifiedTrustStore(sha256: sha256, content: content)
    }
}

/// Why a trust store is not put in force, beside what `TrustStoreMessageDefect` says.
enum TrustStoreRefusal: Error, Hashable, CustomStringConvertible {
    /// Two signed messages of one version: somebody signs who should not, or a record was restored.
    case sameVersion(Int64)

    var description: String {
        switch self {
        case .sameVersion(let version):
            "it is another trust store with the version in force, \(version): find out who signed it"
        }
    }
}
