package import Foundation
import SwiftASN1
import Synchronization
@_spi(FixedExpiryValidationTime) package import X509

/// A set of CAs that certificates are judged against. A fleet has two, kept apart: its bootstrap anchors and its own
/// issuers; what chains to one never counts for the other (RFC 7030 section 3.3.2, EST-06).
package struct TrustAnchors: Sendable {
    private let store: CertificateStore
    private let anchors: [Certificate]
    private let met = MetIntermediates()

    package init(_ anchors: [Certificate]) {
        self.anchors = anchors
        store = CertificateStore(anchors)
    }

    /// Judges a client's certificate: path by RFC 5280 section 6, each signature SHA-256 or better, each CA fit to
    /// issue, the leaf fit for client authentication, all in date at `now`.
    /// - Parameter intermediates: What the client sent beside its leaf; at most ``ClientChain/countMax`` in all.
    package func judge(
        leaf: Certificate,
        intermediates: [Certificate],
        now: Date
    ) async -> ChainJudgement {
        guard !anchors.isEmpty else { return .unknown }
        guard intermediates.count < ClientChain.countMax else { return .refused("the chain is too long") }
        let policies = (RFC5280Policy(fixedExpiryValidationTime: now), ClientCertificatePolicy())
        // The verifier refuses such a leaf as well (RFC 5280 section 4.2), but does not say why.
        let understood = policies.0.verifyingCriticalExtensions + policies.1.verifyingCriticalExtensions
        if let unknown = leaf.extensions.first(where: { $0.critical && !understood.contains($0.oid) }) {
            return .refused("its critical extension \(unknown.oid) is not understood")
        }
        var verifier = Verifier(rootCertificates: store) {
            policies.0
            policies.1
        }
        let helpers = met.joining(intermediates, for: leaf)
        switch await verifier.validate(leaf: leaf, intermediates: CertificateStore(helpers)) {
        case .validCertificate(let validated):
            let chain = Array(validated)
            guard let anchor = chain.last else { return .unknown }
            met.remember(chain.dropFirst().dropLast())
            return .trusted(anchor: anchor)
        case .couldNotValidate(let failures):
            guard let first = failures.first else { return .unknown }
            if now > leaf.notValidAfter { return .refused("the certificate has expired") }
            if now < leaf.notValidBefore { return .refused("the certificate is not yet valid") }
            // The library's reason may hold text from the certificate; the record keeps a bounded, plain part of it.
            return .refused(String("\(first.policyFailureReason)".prefix(ClientChain.reasonLengthMax)))
        }
    }
}

/// Intermediates of paths that were valid. A resumed TLS session brings back the leaf alone (EST-05), and its path has
/// to be built again.
private final class MetIntermediates: Sendable {
    /// The most that are kept; each was signed below an anchor, so strangers cannot fill it.
    private static let countMax = 256

    private let known = Mutex<[DistinguishedName: [Certificate]]>([:])

    /// What the client sent, or, if it sent nothing, what led from such a leaf to an anchor before.
    func joining(_ sent: [Certificate], for leaf: Certificate) -> [Certificate] {
        guard sent.isEmpty else { return sent }
        return known.withLock { known in
            var found: [Certificate] = []
            var next = leaf.issuer
            while found.count < ClientChain.countMax, let certificates = known[next], let first = certificates.first {
                found += certificates
                next = first.issuer
            }
            return found
        }
    }

    func remember(_ intermediates: ArraySlice<Certificate>) {
        guard !intermediates.isEmpty else { return }
        known.withLock { known in
            for certificate in intermediates {
                let present = known[certificate.subject, default: []]
                guard !present.contains(certificate), known.count < Self.countMax,
                    present.count < ClientChain.countMax
                else { continue }
                known[certificate.subject] = present + [certificate]
            }
        }
    }
}

/// How a certificate stands to a set of anchors.
package enum ChainJudgement: Sendable {
    /// It chains to this anchor and all is in order.
    case trusted(anchor: Certificate)
    /// It chains to an anchor, but a rule forbids it.
    case refused(String)
    /// It does not chain to any of the anchors.
    case unknown
}

/// Bounds on what a client may send in its Certificate message (TLS-13).
package enum ClientChain {
    package static let countMax = 8
    package static let octetsMax = 32 * 1024
    static let reasonLengthMax = 200
}

/// What RFC 5280's path validation leaves to its user: signature strength, CAs' key usage, the leaf's purpose.
private struct ClientCertificatePolicy: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [
        .X509ExtensionID.extendedKeyUsage, .X509ExtensionID.subjectAlternativeName,
    ]

    func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) async -> PolicyEvaluationResult {
        for (index, certificate) in chain.enumerated() {
            let isAnchor = index == chain.count - 1
            if !isAnchor, certificate.signatureAlgorithm == .sha1WithRSAEncryption {
                return .failsToMeetPolicy(reason: "a certificate of the chain is signed with SHA-1")
            }
            do {
                let usage = try certificate.extensions.keyUsage
                if index == 0 {
                    guard usage?.digitalSignature ?? true else {
                        return .failsToMeetPolicy(reason: "the certificate's keyUsage lacks digitalSignature")
                    }
                    if let purposes = try certificate.extensions.extendedKeyUsage,
                        !purposes.contains(.clientAuth), !purposes.contains(.any)
                    {
                        return .failsToMeetPolicy(reason: "the certificate's extendedKeyUsage lacks clientAuth")
                    }
                } else if let usage, !usage.keyCertSign {
                    return .failsToMeetPolicy(reason: "a CA of the chain lacks keyCertSign")
                }
            } catch {
                return .failsToMeetPolicy(reason: "an extension of the chain cannot be decoded")
            }
        }
        return .meetsPolicy
    }
}
