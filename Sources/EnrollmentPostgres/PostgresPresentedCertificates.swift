package import Enrollment
import Foundation
package import Logging
import PKI
package import Postgres
import ServiceLifecycle

/// What the record says of certificates that devices show to gateways. It is asked in groups: after a revocation whatever
/// was kept is asked about anew, all of it within moments.
package final class PostgresPresentedCertificates: PresentedCertificateRecord, Service {
    private static let groupMax = 64
    private static let waitingMax = 4_096

    private struct Question: Sendable {
        let der: [UInt8]
        let serialNumber: [UInt8]
    }

    private let pool: PostgresPool
    private let statuses: PostgresCertificateStatuses
    private let waiting: WaitingGroup<Question, PresentedCertificate?>
    private let logger: Logger

    /// - Parameter statuses: Notes the changes, as a service that runs.
    package init(pool: PostgresPool, statuses: PostgresCertificateStatuses, logger: Logger) {
        self.pool = pool
        self.statuses = statuses
        self.logger = logger
        waiting = WaitingGroup(waitingMax: Self.waitingMax)
    }

    package var changes: UInt64 { statuses.changes }

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
        await waiting.run(groupMax: Self.groupMax, logger: logger) { questions throws(RecordError) in
            try await recording {
                try Self.certificates(questions.count, await pool.query(Self.query(questions)))
            }
        }
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
