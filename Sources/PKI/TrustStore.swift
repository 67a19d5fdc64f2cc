import Crypto
import Foundation
import SwiftASN1
package import X509

/// The set of CA certificates that a fleet trusts: what a gateway loads as `truststore.pem` and what devices get over
/// MQTT. CA certificates only, issuing CAs first, roots last, one subject a key.
package struct TrustStore: Hashable, Sendable {
    /// The most certificates in a trust store.
    package static let countMax = 16
    package let certificates: [Certificate]
    /// DER of each, in the same order.
    package let der: [[UInt8]]

    /// The trust store of the CAs in `chains`: each certificate once, those of the first chain first.
    package init(chains: [CACertificateChain]) throws(TrustStoreDefect) {
        var seen: Set<[UInt8]> = []
        var intermediates: [(Certificate, [UInt8])] = []
        var roots: [(Certificate, [UInt8])] = []
        for chain in chains {
            for (certificate, der) in zip(chain.certificates, chain.der) where seen.insert(der).inserted {
                if certificate.subject == certificate.issuer {
                    roots.append((certificate, der))
                } else {
                    intermediates.append((certificate, der))
                }
            }
        }
        let all = intermediates + roots
        guard !roots.isEmpty else { throw .noRoot }
        guard all.count <= Self.countMax else { throw .tooMany(count: all.count, max: Self.countMax) }
        var keys: [DistinguishedName: Certificate.PublicKey] = [:]
        for (certificate, _) in all {
            if let key = keys[certificate.subject], key != certificate.publicKey {
                throw .subjectWithTwoKeys("\(certificate.subject)")
            }
            keys[certificate.subject] = certificate.publicKey
        }
        certificates = all.map(\.0)
        der = all.map(\.1)
    }

    /// The whole as PEM, in order.
    package var pem: String { der.map(Self.pem).joined() }

    static func pem(_ der: [UInt8]) -> String {
        PEMDocument(type: Certificate.defaultPEMDiscriminator, derBytes: der).pemString + "\n"
    }
}

/// Why a trust store cannot be.
package enum TrustStoreDefect: Error, Hashable, CustomStringConvertible {
    case noRoot
    case tooMany(count: Int, max: Int)
    case subjectWithTwoKeys(String)

    package var description: String {
        switch self {
        case .noRoot: "the trust store has no root"
        case .tooMany(let count, let max): "the trust store has \(count) certificates; at most \(max) are allowed"
        case .subjectWithTwoKeys(let name):
            "the trust store has two keys for \(name); give a CA with another key another subject"
        }
    }
}
