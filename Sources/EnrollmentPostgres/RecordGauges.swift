package import Enrollment
package import Foundation
package import Postgres

/// Numbers of the record that are watched: each is counted no further than a bound, so that it may be read often.
package struct RecordGauges: Sendable {
    /// Certificates of one fleet are counted no further than this.
    package static let expiringMax: Int64 = 100_000
    /// Waiting events are counted no further than this.
    package static let waitingEventsMax: Int64 = 100_000

    /// An agent that lacks something for no longer than this is not behind.
    package static let agentPatience: Duration = .seconds(60)

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// How many devices of each fleet, by its name, hold a present certificate that ends within `days` from `at`.
    package func expiring(withinDays days: Int, at: Date) async throws(RecordError) -> [String: Int64] {
        let until = at.addingTimeInterval(Double(days) * 86_400)
        return try await recording {
            let rows = try await pool.query(
                """
                select f.name, (select count(*) from (
                    select from devices d
                    where d.fleet_id = f.id and d.current_not_after >= \(at) and d.current_not_after < \(until)
                    limit \(Self.expiringMax)) as soon)
                from fleets f
                """
            )
            return try rows.reduce(into: [:]) { counts, row in
                counts[try row.decode(at: 0, as: String.self)] = try row.decode(at: 1, as: Int64.self)
            }
        }
    }

    /// How many agents each fleet has, by its name, and how many of them lack a trust store or a CRL that has been there for
    /// longer than `agentPatience`.
    package func agents(at: Date) async throws(RecordError) -> [String: (all: Int64, behind: Int64)] {
        let since = at.addingTimeInterval(-Double(Self.agentPatience.components.seconds))
        return try await recording {
            let rows = try await pool.query(
                """
                select f.name, count(d.device_id), count(*) filter (where d.device_id is not null and (
                    coalesce(a.trust_store_version, 0) < coalesce((
                        select t.version from trust_stores t where t.fleet_id = f.id and t.issued_at < \(since)
                        order by t.version desc limit 1), 0)
                    or exists (
                        select from issuers i
                        cross join lateral (
                            select s.number from crl_signings s
                            where s.issuer_id = i.id and s.shard = 0 and s.signed_at < \(since)
                            order by s.number desc limit 1) needed
                        left join agent_lists l on l.fleet_id = a.fleet_id and l.device_id = a.device_id
                            and l.authority_sha256 = sha256(i.certificate)
                        where i.id = f.issuer_id and coalesce(l.number, 0) < needed.number)))
                from fleets f
                left join agents a on a.fleet_id = f.id
                left join devices d on d.fleet_id = a.fleet_id and d.device_id = a.device_id
                    and d.revocation_reason is null
                group by f.name
                """
            )
            return try rows.reduce(into: [:]) { counts, row in
                counts[try row.decode(at: 0, as: String.self)] = (try row.decode(at: 1), try row.decode(at: 2))
            }
        }
    }

    /// How many events wait to be published.
    package func waitingEvents() async throws(RecordError) -> Int64 {
        try await recording {
            let rows = try await pool.query(
                """
                select count(*) from (select from outbox where published_at is null
                                      limit \(Self.waitingEventsMax)) as waiting
                """
            )
            return try rows.first?.decode() ?? 0
        }
    }
}
