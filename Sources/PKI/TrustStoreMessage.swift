import Crypto
package import Foundation
package import OpenSSL
package import SwiftASN1
import X509

/// What a trust-store message says (the content of its CMS SignedData): JSON, signed as sent.
package struct TrustStoreContent: Codable, Hashable, Sendable {
    package static let typeName = "muster.truststore.v1"

    /// One CA certificate.
    package struct Anchor: Codable, Hashable, Sendable {
        /// SHA-256 of the DER, lower-case hexadecimal.
        package let sha256: String
        package let subject: String
        /// ISO 8601, UTC.
        package let notAfter: String
        package let pem: String
    }

    package let type: String
    package let fleet: String
    /// Rises by one with each trust store of the fleet.
    package let version: Int64
    /// ISO 8601, UTC.
    package let issuedAt: String
    package let expiresAt: String
    /// SHA-256 (hexadecimal) of the message before this one; missing in the first.
    package let previousSHA256: String?
    package let anchors: [Anchor]
    package let crls: [String]

    package init(
        store: TrustStore,
        fleet: FleetName,
        version: Int64,
        issuedAt: Date,
        expiresAt: Date,
        previousSHA256: [UInt8]?,
        crls: [String] = []
    ) {
        type = Self.typeName
        self.fleet = fleet.text
        self.version = version
        self.issuedAt = issuedAt.formatted(.iso8601)
        self.expiresAt = expiresAt.formatted(.iso8601)
        self.previousSHA256 = previousSHA256.map(Hex.text)
        anchors = zip(store.certificates, store.der).map { certificate, der in
            Anchor(
                sha256: Hex.text(SHA256.hash(data: der)),
                subject: "\(certificate.subject)",
                notAfter: certificate.notValidAfter.formatted(.iso8601),
                pem: TrustStore.pem(der)
            )
        }
        self.crls = crls
    }

    /// The bytes to sign: keys in a stable order.
    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try [UInt8](encoder.encode(self))
    }
}

/// A trust store as it travels: CMS SignedData, DER, attached.
package enum TrustStoreMessage {
    /// The most octets of a message; brokers and small devices bound theirs (M-07).
    package static let octetsMax = 128 * 1024

    /// Signs `content` with a certificate made for this purpose alone.
    package static func sign(
        _ content: TrustStoreContent,
        with signer: TrustStoreSigner,
        now: Date
    ) throws -> [UInt8] {
        let message = try CMSSignedData.sign(
            content: content.encoded(),
            signerCertificate: signer.chain[0],
            key: signer.key,
            chain: Array(signer.chain.dropFirst()),
            signingTime: now
        )
        guard message.count <= octetsMax else { throw TrustStoreMessageDefect.tooLarge(octets: message.count) }
        return message
    }

    /// What a device does with a message: verify it against the anchors that it has, then take it only if it is for
    /// its fleet, newer than what it has, and not expired.
    /// - Parameter installedVersion: The version the device has now; 0 if none.
    package static func verify(
        _ message: [UInt8],
        anchors: [[UInt8]],
        fleet: FleetName,
        installedVersion: Int64,
        now: Date
    ) throws -> TrustStoreContent {
        guard message.count <= octetsMax else { throw TrustStoreMessageDefect.tooLarge(octets: message.count) }
        let verified = try CMSSignedData.verify(message, anchors: anchors, at: now)
        // Devices hold certificates of the same root: a chain to it alone does not make a signer of trust stores.
        guard TrustStoreSigner.mayHold(certificate: verified.signerCertificate) else {
            throw TrustStoreMessageDefect.signer
        }
        guard let content = try? JSONDecoder().decode(TrustStoreContent.self, from: Data(verified.content)),
            content.type == TrustStoreContent.typeName
        else { throw TrustStoreMessageDefect.content }
        guard content.fleet == fleet.text else { throw TrustStoreMessageDefect.fleet(content.fleet) }
        guard content.version > installedVersion else { throw TrustStoreMessageDefect.notNewer(content.version) }
        guard let expiry = try? Date(content.expiresAt, strategy: .iso8601), now < expiry else {
            throw TrustStoreMessageDefect.expired
        }
        guard !content.anchors.isEmpty, content.anchors.count <= TrustStore.countMax else {
            throw TrustStoreMessageDefect.content
        }
        for anchor in content.anchors {
            guard let document = try? PEMDocument(pemString: anchor.pem),
                Hex.text(SHA256.hash(data: document.derBytes)) == anchor.sha256
            else { throw TrustStoreMessageDefect.content }
        }
        return content
    }
}

/// Who signs trust stores: a key and its certificate chain (signer first; the root may be left out).
package struct TrustStoreSigner: Sendable {
    package let key: PrivateKey
    /// DER, signer first.
    package let chain: [[UInt8]]

    /// The purpose that a signer's certificate must have, and no other certificate of Muster has: id-tsl-kp-tslSigning,
    /// signing lists of trusted services (ETSI TS 119 612 section 5.7.1).
    package static let purpose: ASN1ObjectIdentifier = [0, 4, 0, 2231, 3, 0]

    /// Fails if the key is not the signer certificate's, or the certificate is not for signing trust stores.
    package init(key: PrivateKey, chain: [[UInt8]]) throws {
        guard let first = chain.first, try key.matches(certificate: first) else { throw ChainDefect.keyMismatch }
        guard Self.mayHold(certificate: first) else { throw TrustStoreMessageDefect.signer }
        self.key = key
        self.chain = chain
    }

    /// True if the certificate (DER) is for signing trust stores and for nothing else.
    static func mayHold(certificate der: [UInt8]) -> Bool {
        guard let usages = try? Certificate(derEncoded: der).extensions.extendedKeyUsage else { return false }
        return Array(usages) == [ExtendedKeyUsage.Usage(oid: purpose)]
    }
}

/// Why a trust-store message is not taken (beside a signature that does not verify).
package enum TrustStoreMessageDefect: Error, Hashable, CustomStringConvertible {
    case tooLarge(octets: Int)
    /// The signer's certificate is not for signing trust stores.
    case signer
    case content
    case fleet(String)
    case notNewer(Int64)
    case expired

    package var description: String {
        switch self {
        case .tooLarge(let octets): "the trust-store message has \(octets) octets; at most 131072 are taken"
        case .signer:
            "the trust store's signer has a certificate for another purpose; its extendedKeyUsage must be 0.4.0.2231.3.0"
        case .content: "the trust-store message's content is not a muster.truststore.v1"
        case .fleet(let name): "the trust store is for the fleet \(name)"
        case .notNewer(let version): "the trust store's version \(version) is not newer than the installed one"
        case .expired: "the trust store has expired"
        }
    }
}
