package import Enrollment
import Foundation
import PKI
package import Postgres

/// Issuers and trust stores in PostgreSQL, for operators to read.
package struct PostgresTrustReading: TrustReading {
    /// Counting who has which version looks at every device of the fleet.
    private static let countTimeout: Duration = .seconds(60)

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func issuers() async throws(RecordError) -> [IssuerEntry] {
        try await recording {
            try await pool.query(
                """
                select i.name, i.certificate, i.chain, i.created_at,
                       array(select f.name from fleets f where f.issuer_id = i.id order by f.name)
                from issuers i order by i.name collate "C"
                """
            ).map { row in
                IssuerEntry(
                    name: try row.decode(at: 0),
                    chain: [try row.decode(at: 1, as: [UInt8].self)] + (try row.decode(at: 2, as: [[UInt8]].self)),
                    createdAt: try row.decode(at: 3),
                    fleets: try row.decode(at: 4)
                )
            }
        }
    }

    package func trustStore(of fleet: FleetID) async throws(RecordError) -> TrustStoreEntry? {
        try await recording {
            let newest = try await pool.query(
                """
                select t.version, t.issued_at, t.expires_at, t.message, t.message_sha256, t.certificates, f.name
                from trust_stores t join fleets f on f.id = t.fleet_id
                where t.fleet_id = \(fleet.value) order by t.version desc limit 1
                """
            )
            guard let row = newest.first else { return nil }
            guard let name = FleetName(try row.decode(at: 6, as: String.self)) else {
                throw RecordError.broken("a fleet has a name that this program does not know")
            }
            let published = try await pool.query(
                """
                select o.published_at from outbox o
                where o.fleet_id = \(fleet.value) and o.topic = \(Topics.trustStore(name)) order by o.id desc limit 1
                """
            )
            let holders = try await pool.query(
                """
                select coalesce(d.trust_store_version, 0), count(*) from devices d where d.fleet_id = \(fleet.value)
                group by 1 order by 1 desc
                """,
                timeout: Self.countTimeout
            )
            return TrustStoreEntry(
                version: TrustStoreVersion(
                    version: try row.decode(at: 0),
                    issuedAt: try row.decode(at: 1),
                    expiresAt: try row.decode(at: 2),
                    message: try row.decode(at: 3),
                    messageSHA256: try row.decode(at: 4),
                    certificates: try row.decode(at: 5)
                ),
                publishedAt: try published.first?.decode(at: 0, as: Date?.self),
                holders: try holders.map { row in
                    TrustStoreHolders(version: try row.decode(at: 0), devices: try row.decode(at: 1))
                }
            )
        }
    }
}
