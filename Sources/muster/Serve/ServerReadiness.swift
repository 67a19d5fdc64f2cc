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

    static func now(
        outbox: PostgresOutbox,
        directory: FleetDirectory,
        issuers: [Issuer],
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
        let fleets = directory.snapshot.fleets.count
        checks.append(Readiness.Check(name: "fleets", problem: fleets == 0 ? "none is served" : nil))
        return Readiness(checks: checks)
    }

    private static func problem(of issuer: Issuer, at now: Date) -> String? {
        let ended = issuer.chain.certificates.first { now >= $0.notValidAfter || now < $0.notValidBefore }
        return ended.map { "\($0.subject) is valid from \($0.notValidBefore) to \($0.notValidAfter), and not now" }
    }
}
