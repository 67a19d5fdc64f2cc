import Crypto
package import Foundation
package import Logging
package import PKI
import Synchronization

/// An answer to an OCSP request, and how it may be kept.
package struct OCSPAnswer: Hashable, Sendable {
    /// What it says; of several certificates, of the first.
    package enum Kind: String, CaseIterable, Hashable, Sendable {
        case good, revoked, unknown
        case malformedRequest = "malformed-request"
        case internalError = "internal-error"
        case tryLater = "try-later"
        case unauthorized
    }

    /// What a cache may do with it, for as long as it is good.
    package struct Caching: Hashable, Sendable {
        package let thisUpdate: Date
        package let nextUpdate: Date
        /// SHA-256 of the answer, in hexadecimal digits.
        package let tag: String
    }

    package let kind: Kind
    /// OCSPResponse, DER.
    package let der: [UInt8]
    /// Nil if it is for this request alone.
    package let caching: Caching?

    fileprivate init(_ error: OCSPError) {
        kind =
            switch error {
            case .malformedRequest: .malformedRequest
            case .internalError: .internalError
            case .tryLater: .tryLater
            case .unauthorized: .unauthorized
            }
        der = error.der
        caching = nil
    }

    fileprivate init(_ status: OCSPStatus, der: [UInt8], caching: Caching?) {
        kind =
            switch status {
            case .good: .good
            case .revoked: .revoked
            case .unknown: .unknown
            }
        self.der = der
        self.caching = caching
    }
}

/// The OCSP responder of this server's issuers (RFC 6960, in the profile of RFC 9919). Answers without a nonce are signed
/// once and kept; the record's next change of any revocation has each of them compared with the record before it is given
/// out again.
///
/// The times that answers are signed with never run backwards: not when a clock is set back, not over a restart, not from
/// one server to another. An answer's time is in the record, as the latest of all, before the answer goes out, and none is
/// signed with an earlier one than stands there when its certificates are looked up. So the record is written once a
/// second at most, and only while answers are signed; for those that are kept it was written when they were. A time
/// reserved ahead would save writes, but whoever starts anew, not knowing how much of it was used, would have to sign
/// behind all of it: in the future.
package final class OCSPService: Sendable {
    /// How often responders' certificates are looked after.
    package static let tick: Duration = .seconds(30)
    /// A responder's certificate is made anew after this part of its life.
    private static let renewalPart = 0.5
    /// An answer is signed anew after this part of its validity, so that what caches hold is good for a while.
    private static let freshPart = 0.5
    /// Requests whose answers are kept; larger ones are of several certificates.
    private static let keptRequestOctetsMax = 255

    private struct Kept {
        let answer: OCSPAnswer
        let certificate: OCSPRequest.CertificateID
        let status: OCSPStatus
        /// Those of the record when the status was read.
        let changes: UInt64
        /// When it is to be signed anew.
        let until: Date
    }

    private struct Authority {
        let issuer: Issuer
        let responder: OCSPResponder
    }

    private let issuers: [Issuer]
    private let record: any CertificateStatusRecord
    private let validity: Duration
    private let earliest: @Sendable (_ issuerName: String) -> Date?
    private let now: @Sendable () -> Date
    private let logger: Logger
    private let authorities = Mutex<[Authority]>([])
    private let kept = Mutex(BoundedCache<[UInt8], Kept>())

    /// - Parameters:
    ///   - issuers: Those whose keys this server has.
    ///   - validity: From thisUpdate to nextUpdate.
    ///   - earliest: A time that an issuer's answers do not go behind, whatever the clock says: that of its CRL.
    ///   - now: The clock.
    package init(
        issuers: [Issuer],
        record: any CertificateStatusRecord,
        validity: Duration,
        earliest: @escaping @Sendable (_ issuerName: String) -> Date?,
        now: @escaping @Sendable () -> Date = { Date() },
        logger: Logger
    ) {
        self.issuers = issuers
        self.record = record
        self.validity = validity
        self.earliest = earliest
        self.now = now
        self.logger = logger
    }

    /// Looks after the responders' certificates until cancelled.
    package func run() async {
        while !Task.isCancelled {
            await renewResponders()
            try? await Task.sleep(for: Self.tick)
        }
    }

    /// Has each issuer certify a new key where there is none or where its certificate has lived half of its life.
    package func renewResponders() async {
        for issuer in issuers {
            let present = authorities.withLock { $0.first { $0.issuer.der == issuer.der }?.responder }
            if let present, !isDue(present) { continue }
            do {
                let responder = try OCSPResponder(issuer: issuer, now: now())
                try await record.recordResponder(responder, issuer: issuer)
                authorities.withLock { authorities in
                    authorities.removeAll { $0.issuer.der == issuer.der }
                    authorities.append(Authority(issuer: issuer, responder: responder))
                }
            } catch {
                logger.error(
                    "no certificate for the OCSP responder; tried again",
                    metadata: ["issuer": "\(issuer.name)", "error": "\(error)"]
                )
            }
        }
    }

    private func isDue(_ responder: OCSPResponder) -> Bool {
        let life = responder.notAfter.timeIntervalSince(responder.notBefore)
        return now() >= responder.notBefore.addingTimeInterval(life * Self.renewalPart)
    }

    /// The end of the first responder's certificate to end, by issuer; none where there is no responder.
    package var responderEnds: [(issuer: String, notAfter: Date?)] {
        let ends = authorities.withLock { authorities in
            Dictionary(authorities.map { ($0.issuer.name, $0.responder.notAfter) }) { first, _ in first }
        }
        return issuers.map { ($0.name, ends[$0.name]) }
    }

    /// Answers the first of these that is a request, DER. Never fails: what cannot be answered is answered so.
    package func answer(anyOf candidates: [[UInt8]]) async -> OCSPAnswer {
        for der in candidates {
            if let known = kept.withLock({ $0[der] }), now() < known.until {
                if known.changes == record.changes { return known.answer }
                if let still = await confirmed(known, of: der) { return still }
            }
            if let request = try? OCSPRequest(der: der) { return await answer(request, der) }
        }
        return OCSPAnswer(.malformedRequest)
    }

    private func answer(_ request: OCSPRequest, _ der: [UInt8]) async -> OCSPAnswer {
        let authority = authorities.withLock { authorities in
            authorities.first { one in request.certificates.contains { one.responder.answers(for: $0) } }
        }
        guard let authority else {
            let isOurs = authorities.withLock { $0.count } == issuers.count
            // Nothing is known of others' certificates (RFC 9919 section 3.2.3), and as yet nothing of ours.
            return OCSPAnswer(isOurs ? .unauthorized : .tryLater)
        }
        return await answer(request, der, authority)
    }

    /// The answer that is kept, if the record still says the same.
    private func confirmed(_ known: Kept, of der: [UInt8]) async -> OCSPAnswer? {
        let authority = authorities.withLock { $0.first { $0.responder.answers(for: known.certificate) } }
        let changes = record.changes
        guard let authority,
            let status = try? await record.statuses(of: [known.certificate.serialNumber], issuer: authority.issuer)
                .first,
            status == known.status
        else { return nil }
        let still = Kept(
            answer: known.answer,
            certificate: known.certificate,
            status: status,
            changes: changes,
            until: known.until
        )
        kept.withLock { $0[der] = still }
        return known.answer
    }

    private func answer(_ request: OCSPRequest, _ der: [UInt8], _ authority: Authority) async -> OCSPAnswer {
        // Before the record is asked: what changes meanwhile is asked about again.
        let changes = record.changes
        let own = request.certificates.map { authority.responder.answers(for: $0) }
        do {
            let (read, thisUpdate) = try await record.statuses(
                of: zip(request.certificates, own).filter(\.1).map(\.0.serialNumber),
                issuer: authority.issuer,
                toSignAt: earliestTime(authority)
            )
            var asked = read[...]
            // A responder speaks for its own issuer alone.
            let statuses = zip(request.certificates, own).map { certificate, isOwn in
                (certificate: certificate, status: isOwn ? asked.popFirst() ?? .unknown : .unknown)
            }
            let nextUpdate = min(thisUpdate.addingTimeInterval(validity.inSeconds), authority.responder.notAfter)
            guard nextUpdate > thisUpdate, let first = statuses.first else { return OCSPAnswer(.internalError) }
            let signed = try authority.responder.sign(
                statuses,
                nonce: request.nonce,
                thisUpdate: thisUpdate,
                nextUpdate: nextUpdate
            )
            // An unknown certificate may be issued the next moment.
            let isKept =
                request.nonce == nil && statuses.count == 1 && first.status != .unknown
                && der.count <= Self.keptRequestOctetsMax
            guard isKept else { return OCSPAnswer(first.status, der: signed, caching: nil) }
            let answer = OCSPAnswer(
                first.status,
                der: signed,
                caching: OCSPAnswer.Caching(
                    thisUpdate: thisUpdate,
                    nextUpdate: nextUpdate,
                    tag: Hex.text(SHA256.hash(data: signed))
                )
            )
            let keeping = Kept(
                answer: answer,
                certificate: first.certificate,
                status: first.status,
                changes: changes,
                until: thisUpdate.addingTimeInterval(nextUpdate.timeIntervalSince(thisUpdate) * Self.freshPart)
            )
            kept.withLock { $0[der] = keeping }
            return answer
        } catch let error as RecordError {
            logger.warning("an OCSP request is told to try later", metadata: ["error": "\(error)"])
            return OCSPAnswer(.tryLater)
        } catch {
            logger.error("an OCSP answer is not signed", metadata: ["error": "\(error)"])
            return OCSPAnswer(.internalError)
        }
    }

    /// The clock's, to the second, or that of the issuer's CRL where the clock is behind it.
    private func earliestTime(_ authority: Authority) -> Date {
        let second = Date(timeIntervalSince1970: now().timeIntervalSince1970.rounded(.down))
        return max(second, earliest(authority.issuer.name) ?? second)
    }
}
