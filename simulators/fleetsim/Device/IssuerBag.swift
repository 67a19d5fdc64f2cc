import EST
import Foundation
import SwiftASN1
import Synchronization
import X509

/// The CA certificates that /cacerts gave, as far as they chain to the root that the device was made with.
struct IssuerBag: Sendable {
    /// The most CAs between a device's certificate and the root.
    static let depthMax = 4

    /// CAs by subject, each verified up to the root, with its chain from itself to below the root (DER).
    private let issuers: [DistinguishedName: [(certificate: Certificate, chain: [[UInt8]])]]

    /// Verifies each CA of the bag, from the root downwards.
    init(certificates: [[UInt8]], root: [UInt8]) throws(CheckFailure) {
        do {
            let rootCertificate = try Certificate(derEncoded: root)
            guard certificates.contains(root) else { throw CheckFailure("cacerts lacks the root") }
            var verified = [(certificate: rootCertificate, chain: [[UInt8]]())]
            var left = try certificates.filter { $0 != root }.map { (try Certificate(derEncoded: $0), $0) }
            for _ in 0..<Self.depthMax {
                var remaining: [(Certificate, [UInt8])] = []
                for (certificate, der) in left {
                    let issuer = verified.first { candidate in
                        candidate.certificate.subject == certificate.issuer
                            && candidate.certificate.publicKey.isValidSignature(certificate.signature, for: certificate)
                    }
                    if let issuer, Self.isAuthority(certificate) {
                        verified.append((certificate, [der] + issuer.chain))
                    } else {
                        remaining.append((certificate, der))
                    }
                }
                left = remaining
            }
            issuers = Dictionary(grouping: verified) { $0.certificate.subject }
        } catch let failure as CheckFailure {
            throw failure
        } catch {
            throw CheckFailure("a certificate of cacerts is unreadable")
        }
    }

    /// Checks what the device got: its own key, its own name, valid now, and signed by a CA that chains to the root.
    /// - Returns: The chain above the certificate, without the root (DER).
    func check(
        _ certificate: Certificate,
        deviceID: String,
        key: Certificate.PublicKey,
        now: Date
    ) throws(CheckFailure) -> [[UInt8]] {
        guard certificate.publicKey == key else { throw CheckFailure("the certificate holds another key") }
        guard certificate.notValidBefore <= now, now <= certificate.notValidAfter else {
            throw CheckFailure("the certificate is not valid now")
        }
        guard Self.names(of: certificate).contains(where: { $0 == deviceID || $0.hasPrefix(deviceID + "@") }) else {
            throw CheckFailure("the certificate names another device")
        }
        guard !Self.isAuthority(certificate) else { throw CheckFailure("the certificate is a CA's") }
        let issuer = (issuers[certificate.issuer] ?? []).first { candidate in
            candidate.certificate.notValidBefore <= now && now <= candidate.certificate.notValidAfter
                && candidate.certificate.publicKey.isValidSignature(certificate.signature, for: certificate)
        }
        guard let issuer else { throw CheckFailure("the certificate does not chain to the root") }
        return issuer.chain
    }

    /// The common names and serial numbers in a subject.
    static func names(of certificate: Certificate) -> [String] {
        certificate.subject.flatMap { $0 }.filter {
            $0.type == .NameAttributes.commonName || $0.type == .NameAttributes.serialNumber
        }.map { $0.value.description }
    }

    /// True for a CA's certificate.
    static func isAuthority(_ certificate: Certificate) -> Bool {
        guard case .isCertificateAuthority = try? certificate.extensions.basicConstraints else { return false }
        return true
    }
}

/// Why a device does not take what it was given.
struct CheckFailure: Error, Hashable {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// The bags that were verified: all devices of a fleet get the same one, and verifying it again for each would only
/// take the CPU from them.
final class IssuerBags: Sendable {
    /// The most different bags that are kept.
    private static let countMax = 8

    private let root: [UInt8]
    private let bags = Mutex<[[UInt8]: IssuerBag]>([:])

    init(root: [UInt8]) { self.root = root }

    /// The bag in the body of a /cacerts answer.
    func bag(_ body: [UInt8]) throws -> IssuerBag {
        if let known = bags.withLock({ $0[body] }) { return known }
        let bag = try IssuerBag(certificates: CertsOnly.decode(Base64Body.decode(body).der), root: root)
        bags.withLock { bags in
            if bags.count >= Self.countMax { bags.removeAll() }
            bags[body] = bag
        }
        return bag
    }
}
