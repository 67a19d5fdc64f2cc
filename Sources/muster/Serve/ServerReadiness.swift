import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import StatusServer
import X509

/// Whether the server can do its work now.
enum ServerReadiness {
    /// The oldest event may wait this long before readiness speaks of it.
    private static let outboxAgeSecondsMax: Double = 60
    /// CRLs are signed anew after half of their life; with less than this part of it left, something is wrong.
    private static let crlLatePart: Double = 0.4

    static func now(
        outbox: PostgresOutbox,
        directory: FleetDirectory,
        issuers: [Issuer],
        crls: PublishedCRLs,
        crlLifetime: Duration,
        ocsp: OCSPService,
        hasBroker: Bool
    ) async -> Readiness {
        var checks: [Readiness.Check] = []
        do {
            let age = try await outbox.oldestWaitingSeconds() ?? 0
            checks.append(Readiness.Check(name: "database", problem: nil))
            // The broker's absence does not keep devices from enrolling; it is said, and does not fail readiness.
            let late = hasBroker && age > outboxAgeSecondsMax
            let name = late ? "outbox (waiting \(Int(age)) s; is the broker well?)" : "outbox (oldest \(Int(age)) s)"
            checks.append(Readiness.Check(name: name, problem: nil))
        } catch {
            checks.append(Readiness.Check(name: "database", problem: "\(error)"))
        }
        checks += issuers.map { issuer in
            Readiness.Check(name: "issuer \(issuer.name)", problem: problem(of: issuer, at: Date()))
        }
        checks += crls.summaries.map { check($0, lifetime: crlLifetime, at: Date()) }
        checks += ocsp.responderEnds.map {
            Readiness.Check(name: "ocsp \($0.issuer)", problem: problem(of: $0.notAfter))
        }
        let fleets = directory.snapshot.fleets.count
        checks.append(Readiness.Check(name: "fleets", problem: fleets == 0 ? "none is served" : nil))
        return Readiness(checks: checks)
    }

    /// CRLs that are late are said long before they end, and do not fail readiness: this server may serve others' lists.
    private static func check(
        _ crls: PublishedCRLs.Summary,
        lifetime: Duration,
        at now: Date
    ) -> Readiness.Check {
        let left = crls.nextUpdate.timeIntervalSince(now)
        let isLate = left < lifetime.inSeconds * crlLatePart
        let hours = Int((left / 3600).rounded(.down))
        let late = isLate ? "; LATE: is a server with the issuer's key up, and the database well?" : ""
        return Readiness.Check(
            name: "crls \(crls.issuer) (\(crls.count) lists, the first ends in \(hours) h\(late))",
            problem: nil
        )
    }

    private static func problem(of responderEnd: Date?) -> String? {
        guard let responderEnd else { return "its responder has no certificate yet; look at the log" }
        return responderEnd > Date() ? nil : "its responder's certificate ended at \(responderEnd); look at the log"
    }

    private static func problem(of issuer: Issuer, at now: Date) -> String? {
        let ended = issuer.chain.certificates.first { now >= $0.notValidAfter || now < $0.notValidBefore }
        return ended.map { "\($0.subject) is valid from \($0.notValidBefore) to \($0.notValidAfter), and not now" }
    }
}
