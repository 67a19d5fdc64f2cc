package import Enrollment
import Foundation
import PKI
package import Postgres

/// What the record says of certificates that devices show to gateways.
package struct PostgresPresentedCertificates: PresentedCertificateRecord {
    private let pool: PostgresPool
    private let statuses: PostgresCertificateStatuses

    /// - Parameter statuses: Notes the changes, as a service that runs.
    package init(pool: PostgresPool, statuses: PostgresCertificateStatuses) {
        self.pool = pool
        self.statuses = statuses
    }

    package var changes: UInt64 { statuses.changes }

    package func certificate(
        _ der: [UInt8],
        serialNumber: [UInt8]
    ) async throws(RecordError) -> PresentedCertificate? {
        try await recording {
            // The serial number picks the partition, issuer and serial number together the row.
            let rows = try await pool.query(
                """
                select c.device_id, f.name, c.not_before, c.not_after, r.reason,
                    exists (select from fleet_issuers t where t.fleet_id = c.fleet_id and t.issuer_id = c.issuer_id)
                from certificates c
                join fleets f on f.id = c.fleet_id
                left join revocations r on r.issuer_id = c.issuer_id and r.serial = c.serial
                where c.issuer_id = any (array(select id from issuers)) and c.serial = \(serialNumber)
                    and c.der = \(der)
                """
            )
            guard let row = rows.first else { return nil }
            var columns = row.columns
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
                throw RecordError.broken(
                    "a certificate is revoked for \(reason ?? ""), which this program does not know"
                )
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
}
