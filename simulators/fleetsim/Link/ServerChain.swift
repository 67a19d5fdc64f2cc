import Foundation
import NIOCore
import SwiftASN1
import X509

/// A server's certificates as a device without a clock verifies them: signatures up to its root, CAs, use and name. When
/// they are valid is told, and not judged.
enum ServerChain {
    /// The most certificates.
    static let lengthMax = 6

    /// The time in which all of the chain is valid.
    /// - Parameters:
    ///   - chain: As it came, the server's own first (DER).
    ///   - root: The anchor (DER), which the chain may hold or not.
    static func validity(
        _ chain: [[UInt8]],
        root: [UInt8],
        endpoint: LoopbackEndpoint
    ) throws -> ClosedRange<Date> {
        guard (1...lengthMax).contains(chain.count) else {
            throw CheckFailure("\(chain.count) certificates of the server")
        }
        let sent = try chain.filter { $0 != root }.map { try Certificate(derEncoded: $0) }
        guard let leaf = sent.first, try names(leaf, endpoint) else {
            throw CheckFailure("the server has another name")
        }
        let all = try sent + [Certificate(derEncoded: root)]
        for (certificate, issuer) in zip(all, all.dropFirst()) {
            guard certificate.issuer == issuer.subject, IssuerBag.isAuthority(issuer),
                issuer.publicKey.isValidSignature(certificate.signature, for: certificate)
            else { throw CheckFailure("the server does not chain to the root") }
        }
        let from = all.map(\.notValidBefore).max() ?? .distantFuture
        let until = all.map(\.notValidAfter).min() ?? .distantPast
        guard from <= until else { throw CheckFailure("the server's certificates are never valid together") }
        return from...until
    }

    /// True if it is a server's, and this server's (RFC 9525).
    private static func names(_ leaf: Certificate, _ endpoint: LoopbackEndpoint) throws -> Bool {
        if let usage = try leaf.extensions.extendedKeyUsage, !usage.contains(.serverAuth) { return false }
        guard let names = try leaf.extensions.subjectAlternativeNames else { return false }
        return names.contains { name in
            switch name {
            case .dnsName(let host): host.lowercased() == endpoint.serverName
            case .ipAddress(let octets): endpoint.serverName == nil && Array(octets.bytes) == endpoint.addressOctets
            default: false
            }
        }
    }
}
