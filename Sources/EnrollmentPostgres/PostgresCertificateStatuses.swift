package import Enrollment
package import Foundation
package import Logging
package import PKI
package import Postgres
import ServiceLifecycle
import Synchronization

/// The status of certificates, from the record. As a service it notes that revocations change, and whom fleets trust.
package final class PostgresCertificateStatuses: CertificateStatusRecord, Service {
    private let pool: PostgresPool
    private let notices: RecordChanges
    private let count = Atomic<UInt64>(0)
    private let onRevocation: @Sendable (_ seconds: Double) -> Void
    private let logger: Logger
    /// In the order of their sequences; the first one's time is nobody's but its own.
    private let noticed = Mutex<[Notice]>([])
    /// Revocations that are timed at one notice.
    private static let timedMax: Int64 = 1_000
    /// Notices whose times are remembered.
    private static let noticesMax = 1_024

    /// Answers have all revocations up to an audit entry since then.
    private struct Notice {
        let sequence: Int64
        let at: Date?
    }

    /// - Parameter onRevocation: Told for each revocation how long answers here may have lacked it; must not wait.
    package init(
        pool: PostgresPool,
        changes: RecordChanges,
        onRevocation: @escaping @Sendable (_ seconds: Double) -> Void = { _ in },
        logger: Logger
    ) {
        self.logger = logger
        self.pool = pool
        self.onRevocation = onRevocation
        notices = changes
    }

    package var changes: UInt64 { count.load(ordering: .acquiring) }

    package func run() async throws {
        // When what was answered before was given out no more. What comes while others are timed is timed together.
        let (times, noted) = AsyncStream.makeStream(of: Date.self, bufferingPolicy: .bufferingNewest(1))
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                // A fleet may trust an issuer no more.
                group.addTask {
                    for await _ in self.notices.stream(.fleets) { self.count.wrappingAdd(1, ordering: .releasing) }
                }
                group.addTask {
                    for await _ in self.notices.stream(.revocations) {
                        self.count.wrappingAdd(1, ordering: .releasing)
                        noted.yield(Date())
                    }
                }
                // Beside the counting, which waits for no question to the record.
                group.addTask { for await at in times { await self.time(at: at) } }
            }
        }
    }

    /// Times the revocations that came since, up to `at`: no answer from before is given out any more.
    private func time(at: Date) async {
        let known = noticed.withLock { $0.last?.sequence }
        do {
            guard let known else {
                let rows = try await pool.query("select coalesce(max(revocation_seq), 0) from devices")
                guard let last = try rows.first?.decode(as: Int64.self) else { return }
                return noticed.withLock { $0 = [Notice(sequence: last, at: nil)] }
            }
            let rows = try await pool.query(
                """
                select revocation_seq, extract(epoch from \(at)::timestamptz - revoked_at)::float8 from devices
                where revocation_seq > \(known) and revoked_at is not null
                order by revocation_seq limit \(Self.timedMax)
                """
            )
            for row in rows { onRevocation(try row.decode(at: 1)) }
            guard let last = try rows.last?.decode(at: 0, as: Int64.self) else { return }
            noticed.withLock { noticed in
                noticed.append(Notice(sequence: last, at: at))
                if noticed.count > Self.noticesMax { noticed.removeFirst() }
            }
        } catch {
            // The next notice tells of them, or the one that comes by the clock.
            logger.debug("revocations not timed", metadata: ["error": "\(error)"])
        }
    }

    /// Whether no answer of this server lacks the revocation of an audit entry, and since when.
    func noticed(_ sequence: Int64) -> RevocationProgress.Reached {
        noticed.withLock { noticed in
            guard let notice = noticed.first(where: { $0.sequence >= sequence }) else {
                return RevocationProgress.Reached(isReached: false, at: nil)
            }
            return RevocationProgress.Reached(
                isReached: true,
                at: notice.sequence == noticed[0].sequence ? nil : notice.at
            )
        }
    }

    package func statuses(
        of serialNumbers: [[UInt8]],
        issuer: Issuer
    ) async throws(RecordError) -> [OCSPStatus] {
        guard !serialNumbers.isEmpty else { return [] }
        return try await recording {
            try Self.statuses(of: serialNumbers, await pool.query(Self.query(serialNumbers, issuer: issuer)))
        }
    }

    package func statuses(
        of serialNumbers: [[UInt8]],
        issuer: Issuer,
        toSignAt time: Date
    ) async throws(RecordError) -> (statuses: [OCSPStatus], time: Date) {
        try await recording {
            // One transaction and one round trip. Of two that raise the clock at once the second finds it raised, and
            // writes nothing if that is not behind its own time.
            let results = try await pool.pipeline([
                """
                with raised as (update ocsp_clock set latest = \(time) where latest < \(time))
                select greatest(\(time), (select latest from ocsp_clock))
                """,
                Self.query(serialNumbers, issuer: issuer),
            ])
            guard let row = results.first?.first, let rows = results.last else {
                throw RecordError.broken("the record did not tell the latest time of an OCSP answer")
            }
            return (try Self.statuses(of: serialNumbers, rows), try row.decode(as: Date.self))
        }
    }

    private static func query(_ serialNumbers: [[UInt8]], issuer: Issuer) -> PostgresQuery {
        """
        select c.serial, r.reason, r.revoked_at
        from issuers i
        join certificates c on c.issuer_id = i.id and c.serial = any (\(serialNumbers))
        left join revocations r on r.issuer_id = c.issuer_id and r.serial = c.serial
        where i.certificate = \(issuer.der)
        """
    }

    /// In the order of `serialNumbers`, from the rows that the query found.
    private static func statuses(of serialNumbers: [[UInt8]], _ rows: PostgresRows) throws -> [OCSPStatus] {
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
