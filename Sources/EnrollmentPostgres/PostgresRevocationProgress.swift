package import Enrollment
import Foundation
package import PKI
package import Postgres

/// How far revocations have come, from the record.
package struct PostgresRevocationProgress: RevocationProgressReading {
    private let pool: PostgresPool
    private let statuses: PostgresCertificateStatuses
    private let crls: PublishedCRLs?
    private let hasBroker: Bool

    /// - Parameters:
    ///   - statuses: Those that this server's OCSP answers rest on.
    ///   - crls: Those that this server gives out; nil if it gives out none.
    ///   - hasBroker: True if the fleet is told.
    package init(
        pool: PostgresPool,
        statuses: PostgresCertificateStatuses,
        crls: PublishedCRLs? = nil,
        hasBroker: Bool
    ) {
        self.pool = pool
        self.statuses = statuses
        self.crls = crls
        self.hasBroker = hasBroker
    }

    package func progress(of device: DeviceID, fleet: FleetID) async throws(RecordError) -> RevocationProgress? {
        try await recording {
            let rows = try await pool.query(
                """
                select d.revocation_reason, d.revoked_at, d.revocation_seq, o.published_at, a.at from devices d
                left join outbox o on o.audit_seq = d.revocation_seq
                left join audit a on a.seq = d.revocation_seq
                where d.fleet_id = \(fleet.value) and d.device_id = \(device.text) and d.revocation_reason is not null
                """
            )
            guard let row = rows.first else { return nil }
            let text = try row.decode(at: 0, as: String.self)
            let sequence = try row.decode(at: 2, as: Int64?.self)
            let publishedAt = try row.decode(at: 3, as: Date?.self)
            let revokedAt = try row.decode(at: 1, as: Date.self)
            return RevocationProgress(
                reason: RevocationReason(rawValue: text) ?? .unspecified,
                at: revokedAt,
                changedAt: try row.decode(at: 4, as: Date?.self) ?? revokedAt,
                sequence: sequence,
                ocsp: sequence.map(statuses.noticed) ?? RevocationProgress.Reached(isReached: true, at: nil),
                lists: try await lists(device, fleet),
                published: hasBroker
                    ? RevocationProgress.Reached(isReached: publishedAt != nil, at: publishedAt) : nil,
                agents: try await PostgresAgents.entries(fleet, in: pool)
            )
        }
    }

    private func lists(_ device: DeviceID, _ fleet: FleetID) async throws -> [RevocationProgress.List] {
        let rows = try await pool.query(
            """
            select i.name, sha256(i.certificate), w.shard, coalesce(c.through >= d.revocation_seq, false), s.number,
                   s.signed_at, i.id, coalesce(s.number, c.number, 0)
            from devices d
            cross join lateral (
                select distinct r.issuer_id, unnest(array[0, r.crl_shard]) as shard from revocations r
                where r.fleet_id = d.fleet_id and r.device_id = d.device_id and r.revoked_at = d.revoked_at) w
            join issuers i on i.id = w.issuer_id
            left join crls c on c.issuer_id = w.issuer_id and c.shard = w.shard
            left join lateral (
                select number, signed_at from crl_signings g
                where g.issuer_id = w.issuer_id and g.shard = w.shard and g.through >= d.revocation_seq
                order by g.through, g.number limit 1) s on true
            where d.fleet_id = \(fleet.value) and d.device_id = \(device.text)
            order by i.name, w.shard
            """
        )
        return try rows.map { row in
            var columns = row.columns
            let issuer = try columns.next(String.self)
            let authority = try columns.next([UInt8].self)
            let shard = Int(try columns.next(Int32.self))
            let isSigned = try columns.next(Bool.self)
            let number = try columns.next(Int64?.self)
            let at = try columns.next(Date?.self)
            let scope = CRLScope(issuer: IssuerID(try columns.next(Int64.self)), shard: shard)
            return RevocationProgress.List(
                issuer: issuer,
                authoritySHA256: authority,
                shard: shard,
                isReached: try isSigned && isGivenOut(scope, number: columns.next(Int64.self)),
                number: number,
                at: at
            )
        }
    }

    /// Whoever is told that a list has it must not be given one from before.
    private func isGivenOut(_ scope: CRLScope, number: Int64) -> Bool {
        crls.map { ($0.number(of: scope) ?? 0) >= number } ?? true
    }
}
