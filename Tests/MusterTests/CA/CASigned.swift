import Foundation
import PKI
import SwiftASN1
import Testing

/// What a signer of trust stores is for: a message that a device takes which knows the root alone.
enum CASigned {
    /// DER of the certificates in a PEM text.
    static func certificates(_ pem: String) throws -> [[UInt8]] {
        try PEMDocument.parseMultiple(pemString: pem).map { [UInt8]($0.derBytes) }
    }

    static func roundTrip(signer: TrustStoreSigner, chain: CACertificateChain, now: Date) throws {
        let fleet = try #require(FleetName("meters"))
        let content = TrustStoreContent(
            store: try TrustStore(chains: [chain]),
            fleet: fleet,
            version: 1,
            issuedAt: now,
            expiresAt: now.addingTimeInterval(86_400),
            previousSHA256: nil
        )
        let message = try TrustStoreMessage.sign(content, with: signer, now: now)
        let root = chain.der[chain.der.count - 1]
        let taken = try TrustStoreMessage.verify(message, anchors: [root], fleet: fleet, installedVersion: 0, now: now)
        #expect(taken == content)
    }
}
