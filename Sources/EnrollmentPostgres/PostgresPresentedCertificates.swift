package import Enrollment
import Foundation
package import Logging
import PKI
package import Postgres
import ServiceLifecycle
import Synchronization

/// What the record says of certificates that devices show to gateways. It is asked in groups, since a gateway that begins
/// asks about all its devices within moments. As a service it notes whose standing changes, and whom fleets trust.
package final class PostgresPresentedCertificates: PresentedCertificateRecord, Service {
    private static let groupMax = 64
    private static let waitingMax = 4_096

    private struct Question: Sendable {
        let der: [UInt8]
        let serialNumber: [UInt8]
    }

    /// Changes that are read at once.
    private static let changesMax: Int64 = 1_000

    private let pool: PostgresPool
    private let notices: RecordChanges
    private let noticed = Mutex(NoticedStandings())
    private let waiting: WaitingGroup<Question, PresentedCertificate?>
    private let logger: Logger

    package init(pool: PostgresPool, changes: RecordChanges, logger: Logger) {
        self.pool = pool
        notices = changes
        self.logger = logger
        waiting = WaitingGroup(waitingMax: Self.waitingMax)
    }

    package var changes: UInt64 { noticed.withLock { $0.changes } }

    package func holds(_ certificate: PresentedCertificate, since then: UInt64) -> Bool {
        noticed.withLock { $0.holds(certificate.device, of: certificate.fleet, since: then) }
    }

    package func certificate(
        _ der: [UInt8],
        serialNumber: [UInt8]
    ) async throws(RecordError) -> PresentedCertificate? {
        try await waiting.answer(to: Question(der: der, serialNumber: serialNumber))
    }

    /// Asks until cancelled; then whatever still waits is refused. In a service group it comes before the fronts, so that
    /// it ends after the last request has been answered.
    package func run() async throws {
        let pool = pool
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.follow() }
            await waiting.run(groupMax: Self.groupMax, logger: logger) { questions throws(RecordError) in
                try await recording {
                    try Self.certificates(questions.count, await pool.query(Self.query(questions)))
                }
            }
            group.cancelAll()
        }
    }

    /// Notes changes until cancelled. What cannot be read may have changed, all of it.
    private func follow() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in self.notices.stream(.revocations) { await self.noting(self.noteStandings) }
            }
            group.addTask {
                for await _ in self.notices.stream(.fleets) { await self.noting(self.noteTrust) }
            }
        }
    }

    private func noting(_ read: () async throws -> Void) async {
        do {
            try await read()
        } catch {
            noticed.withLock { $0.changeAll() }
            logger.debug("whose standing changed is not known", metadata: ["error": "\(error)"])
        }
    }

    /// Whom an operator revoked, put on hold or released since the last time. Audit entries are in the order of commits, so
    /// that whoever has one has all before it.
    private func noteStandings() async throws {
        while true {
            guard let last = noticed.withLock({ $0.last }) else {
                let rows = try await pool.query("select coalesce(max(revocation_seq), 0) from devices")
                guard let last = try rows.first?.decode(as: Int64.self) else { return }
                // What was answered before is not known to be from before or after.
                return noticed.withLock { $0.begin(after: last) }
            }
            let rows = try await pool.query(
                """
                select d.revocation_seq, f.name, d.device_id from devices d join fleets f on f.id = d.fleet_id
                where d.revocation_seq > \(last) order by d.revocation_seq limit \(Self.changesMax)
                """
            )
            let changed = try rows.map { row in
                var columns = row.columns
                return NoticedStandings.Change(
                    sequence: try columns.next(),
                    fleet: try columns.next(),
                    device: try columns.next()
                )
            }
            noticed.withLock { $0.note(changed) }
            if changed.count < Self.changesMax { return }
        }
    }

    private func noteTrust() async throws {
        let rows = try await pool.query(
            """
            select coalesce(string_agg(fleet_id || ' ' || issuer_id, ',' order by fleet_id, issuer_id), '')
            from fleet_issuers
            """
        )
        guard let trust = try rows.first?.decode(as: String.self) else { return }
        noticed.withLock { $0.note(trust: trust) }
    }

    /// The serial number picks the partition, issuer and serial number together the row. One row for each that was issued
    /// here, with its question's place.
    private static func query(_ questions: [Question]) -> PostgresQuery {
        """
        select q.ordinal, c.device_id, f.name, c.not_before, c.not_after, r.reason,
            exists (select from fleet_issuers t where t.fleet_id = c.fleet_id and t.issuer_id = c.issuer_id)
        from unnest(\(questions.indices.map { Int32($0) }), \(questions.map(\.serialNumber)), \(questions.map(\.der)))
            as q (ordinal, serial, der)
        cross join issuers i
        join certificates c on c.issuer_id = i.id and c.serial = q.serial and c.der = q.der
        join fleets f on f.id = c.fleet_id
        left join revocations r on r.issuer_id = c.issuer_id and r.serial = c.serial
        """
    }

    private static func certificates(_ count: Int, _ rows: PostgresRows) throws -> [PresentedCertificate?] {
        var found = [PresentedCertificate?](repeating: nil, count: count)
        for row in rows {
            var columns = row.columns
            let place = Int(try columns.next(Int32.self))
            guard found.indices.contains(place) else {
                throw RecordError.broken("an answer has no question: \(place)")
            }
            found[place] = try certificate(&columns)
        }
        return found
    }

    private static func certificate(_ columns: inout PostgresColumns) throws -> PresentedCertificate {
        let device = try columns.next(String.self)
        let fleet = try columns.next(String.self)
        guard let deviceID = DeviceID(device), let fleetName = FleetName(fleet) else {
            throw RecordError.broken("a certificate is of \(device)@\(fleet), which are no names")
        }
        let notBefore: Date = try columns.next()
        let notAfter: Date = try columns.next()
        let reason = try columns.next(String?.self)
        let revoked = reason.flatMap { RevocationReason(rawValue: $0) }
        guard (reason == nil) == (revoked == nil) else {
            throw RecordError.broken("a certificate is revoked for \(reason ?? ""), which this program does not know")
        }
        return PresentedCertificate(
            device: deviceID,
            fleet: fleetName,
            notBefore: notBefore,
            notAfter: notAfter,
            revoked: revoked,
            isTrusted: try columns.next(Bool.self)
        )
    }
}
