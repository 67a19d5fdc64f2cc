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
    /// - Parameters:
    ///   - intermediates: What the client sent beside its leaf; at most ``ClientChain/countMax`` in all.
    ///   - memo: What these anchors said of the same chain before. The signatures of a chain do not change while its
    ///     connection stays open, but the anchors and the time do, so both are looked at each time (TLS-12).
    package func judge(
        leaf: Certificate,
        intermediates: [Certificate],
        now: Date,
        memo: ChainMemo? = nil
    ) async -> ChainJudgement {
        guard !anchors.isEmpty else { return .unknown }
        if let anchor = memo?.anchor(by: met, at: now) { return .trusted(anchor: anchor) }
        guard intermediates.count < ClientChain.countMax else { return .refused("the chain is too long") }
        let policies = (RFC5280Policy(fixedExpiryValidationTime: now), ClientCertificatePolicy())
        // The verifier refuses such a leaf as well (RFC 5280 section 4.2), but does not say why.
        let understood = policies.0.verifyingCriticalExtensions + policies.1.verifyingCriticalExtensions
        if let unknown = leaf.extensions.first(where: { $0.critical && !understood.contains($0.oid) }) {
            return .refused("its critical extension \(unknown.oid) is not understood")
        }
        if intermediates.count == 1, let proven = met.proven(intermediates[0], at: now) {
            var verifier = Verifier(rootCertificates: proven.store) {
                policies.0
                policies.1
            }
            if case .validCertificate = await verifier.validate(leaf: leaf, intermediates: CertificateStore()) {
                memo?.remember(proven.anchor, by: met, validity: proven.validity.limited(by: ChainValidity(leaf)))
                return .trusted(anchor: proven.anchor)
            }
            // Why not, the whole path says.
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
            if chain.count == 3 { met.prove(chain[1], below: anchor) }
            let validity = chain.dropFirst().reduce(ChainValidity(leaf)) { $0.limited(by: ChainValidity($1)) }
            memo?.remember(anchor, by: met, validity: validity)
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

    /// An intermediate that chains to an anchor. All devices of a product line show the same one, and its signature
    /// need not be verified for each.
    final class Proven: Sendable {
        let certificate: Certificate
        let anchor: Certificate
        /// Holds `certificate` alone.
        let store: CertificateStore
        let validity: ChainValidity

        init(_ certificate: Certificate, below anchor: Certificate) {
            self.certificate = certificate
            self.anchor = anchor
            store = CertificateStore([certificate])
            validity = ChainValidity(certificate).limited(by: ChainValidity(anchor))
        }
    }

    private let known = Mutex<[DistinguishedName: [Certificate]]>([:])
    private let provenByContent = Mutex<[OctetKey: Proven]>([:])

    /// The proven intermediate of the same content, if it and its anchor are in date.
    func proven(_ certificate: Certificate, at now: Date) -> Proven? {
        let key = OctetKey(certificate.tbsCertificateBytes)
        guard let proven = provenByContent.withLock({ $0[key] }) else { return nil }
        return proven.validity.contains(now) ? proven : nil
    }

    /// Remembers that a path through `certificate` to `anchor` was valid. What an anchor says of names below its
    /// intermediate would be lost on the short path, so such an anchor gets none.
    func prove(_ certificate: Certificate, below anchor: Certificate) {
        guard anchor.extensions[oid: .X509ExtensionID.nameConstraints] == nil else { return }
        provenByContent.withLock { proven in
            guard proven.count < Self.countMax else { return }
            proven[OctetKey(certificate.tbsCertificateBytes)] = Proven(certificate, below: anchor)
        }
    }

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

/// What a set of anchors found of one connection's chain: that it is valid, from when to when.
package final class ChainMemo: Sendable {
    private struct Finding {
        let anchors: MetIntermediates
        let anchor: Certificate
        let validity: ChainValidity
    }

    private let finding = Mutex<Finding?>(nil)

    package init() {}

    /// The anchor that the chain leads to, if the same anchors found so and all of the chain is in date.
    fileprivate func anchor(by anchors: MetIntermediates, at now: Date) -> Certificate? {
        finding.withLock { finding in
            guard let finding, finding.anchors === anchors, finding.validity.contains(now) else { return nil }
            return finding.anchor
        }
    }

    fileprivate func remember(_ anchor: Certificate, by anchors: MetIntermediates, validity: ChainValidity) {
        finding.withLock { $0 = Finding(anchors: anchors, anchor: anchor, validity: validity) }
    }
}

/// From when to when all certificates of a chain are in date.
private struct ChainValidity {
    private let notBefore: Date
    private let notAfter: Date

    init(_ certificate: Certificate) { self.init(from: certificate.notValidBefore, to: certificate.notValidAfter) }

    private init(from notBefore: Date, to notAfter: Date) {
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    func limited(by other: Self) -> Self {
        Self(from: max(notBefore, other.notBefore), to: min(notAfter, other.notAfter))
    }

    func contains(_ now: Date) -> Bool { now >= notBefore && now <= notAfter }
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

/// Bounds on what a client may send in its Certificate message (TLS-13); a front may be told lower ones.
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
