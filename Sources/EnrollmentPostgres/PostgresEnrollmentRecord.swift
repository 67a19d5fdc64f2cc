package import Enrollment
import Foundation
import PKI
package import Postgres

/// The record of enrollments in PostgreSQL: one query before a decision, one grouped commit after it.
package struct PostgresEnrollmentRecord: EnrollmentRecord {
    private let pool: PostgresPool
    private let commits: CommitGroup

    /// - Parameter commits: Must be running, since commits wait for it.
    package init(pool: PostgresPool, commits: CommitGroup) {
        self.pool = pool
        self.commits = commits
    }

    package func situation(of question: EnrollmentQuestion) async throws(RecordError) -> EnrollmentSituation {
        let fleet = question.fleet.value
        let device = question.device.text
        return try await recording {
            let rows = try await pool.withConnection { connection in
                try await connection.query(
                    """
                    select d.current_issuer_id, d.current_serial, d.current_key_sha256, c.not_before, c.not_after,
                           c.status = 'revoked', c.der, d.renewable_serial, d.enrolled_at,
                           d.current_used_at is not null, d.idevid_anchor_id,
                           exists (select from device_keys k
                                   where k.key_sha256 = \(question.publicKeySHA256)
                                     and (k.fleet_id <> \(fleet) or k.device_id <> \(device)))
                    from (select) as one
                    left join devices d on d.fleet_id = \(fleet) and d.device_id = \(device)
                    left join certificates c on c.issuer_id = d.current_issuer_id and c.serial = d.current_serial
                    """
                )
            }
            guard let row = rows.first else { throw RecordError.broken("no row where one must be") }
            return EnrollmentSituation(
                device: try Self.device(row),
                keyBelongsToAnother: try row.decode(at: 11, as: Bool.self)
            )
        }
    }

    private static func device(_ row: PostgresRow) throws -> KnownDevice? {
        guard let issuer = try row.decode(at: 0, as: Int64?.self) else { return nil }
        return KnownDevice(
            current: RecordedCertificate(
                issuer: IssuerID(issuer),
                serialNumber: try row.decode(at: 1),
                publicKeySHA256: try row.decode(at: 2),
                notBefore: try row.decode(at: 3),
                notAfter: try row.decode(at: 4),
                isRevoked: try row.decode(at: 5),
                der: try row.decode(at: 6)
            ),
            renewableSerialNumber: try row.decode(at: 7, as: [UInt8]?.self),
            enrolledAt: try row.decode(at: 8),
            currentIsUsed: try row.decode(at: 9),
            idevidAnchor: try row.decode(at: 10, as: Int64?.self).map { AnchorID($0) }
        )
    }

    package func commit(_ entry: EnrollmentEntry) async throws(RecordError) -> CommitOutcome {
        try await commits.commit(entry)
    }
}
