package import Enrollment
import Foundation
package import PKI
package import Postgres
import ServiceLifecycle
import Synchronization

/// The status of certificates, from the record. As a service it notes that revocations change, and whom fleets trust.
package final class PostgresCertificateStatuses: CertificateStatusRecord, Service {
    private let pool: PostgresPool
    private let notices: RecordChanges
    private let count = Atomic<UInt64>(0)

    package init(pool: PostgresPool, changes: RecordChanges) {
        self.pool = pool
        notices = changes
    }

    package var changes: UInt64 { count.load(ordering: .acquiring) }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            // A fleet may trust an issuer no more.
            await withTaskGroup(of: Void.self) { group in
                for topic in [RecordChanges.Topic.revocations, .fleets] {
                    group.addTask {
                        for await _ in self.notices.stream(topic) { self.count.wrappingAdd(1, ordering: .releasing) }
                    }
                }
            }
        }
    }

    package func statuses(
        of serialNumbers: [[UInt8]],
        issuer: Issuer
    ) async throws(RecordError) -> [OCSPStatus] {
        guard !serialNumbers.isEmpty else { return [] }
        return try await recording {
            let rows = try await pool.query(
                """
                select c.serial, r.reason, r.revoked_at
                from issuers i
                join certificates c on c.issuer_id = i.id and c.serial = any (\(serialNumbers))
                left join revocations r on r.issuer_id = c.issuer_id and r.serial = c.serial
                where i.certificate = \(issuer.der)
                """
            )
            var found: [[UInt8]: OCSPStatus] = [:]
            for row in rows {
                let serialNumber = try row.decode(at: 0, as: [UInt8].self)
                guard let text = try row.decode(at: 1, as: String?.self) else {
                    found[serialNumber] = .good
                    continue
                }
                guard let reason = RevocationReason(rawValue: text) else {
                    throw RecordError.broken("a certificate is revoked for \(text), which this program does not know")
                }
                // As CRLs write it.
                let entry = RevokedCertificate(
                    serialNumber: serialNumber,
                    revokedAt: try row.decode(at: 2),
                    reason: reason.code
                )
                found[serialNumber] = .revoked(reason: entry.reason, at: entry.revokedAt)
            }
            return serialNumbers.map { found[$0] ?? .unknown }
        }
    }

    package func recordResponder(_ responder: OCSPResponder, issuer: Issuer) async throws(RecordError) {
        let entry = AuditEntry(
            at: responder.notBefore.addingTimeInterval(CertificateAuthority.backdating.inSeconds),
            actor: "muster serve",
            action: "ocsp-responder.certified",
            subject: issuer.name,
            detail: "serial \(Hex.text(responder.serialNumber)), until \(responder.notAfter.formatted(.iso8601))"
        )
        try await recording {
            try await pool.withTransaction { connection in try await Audited.append(entry, on: connection) }
        }
    }
}
