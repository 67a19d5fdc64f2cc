package import Enrollment
package import Foundation
package import Postgres

/// Numbers of the record that are watched: each is counted no further than a bound, so that it may be read often.
package struct RecordGauges: Sendable {
    /// Certificates of one fleet are counted no further than this.
    package static let expiringMax: Int64 = 100_000
    /// Waiting events are counted no further than this.
    package static let waitingEventsMax: Int64 = 100_000

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
