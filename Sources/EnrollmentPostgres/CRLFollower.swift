package import Enrollment
package import Logging
import PKI
package import Postgres
import ServiceLifecycle

/// Keeps in memory the CRLs that the record has, whichever replica signed them.
package struct CRLFollower: Service {
    /// Lists fetched by one statement.
    private static let batchMax = 32

    private let pool: PostgresPool
    private let changes: RecordChanges
    private let published: PublishedCRLs
    private let logger: Logger

    package init(pool: PostgresPool, changes: RecordChanges, published: PublishedCRLs, logger: Logger) {
        self.pool = pool
        self.changes = changes
        self.published = published
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.follow(.shards) }
                group.addTask(executorPreference: QueueExecutor(label: "crl-load")) { await self.follow(.complete) }
            }
        }
    }

    private func follow(_ part: CRLPart) async {
        for await _ in changes.stream(.crls) {
            do {
                try await load(part)
            } catch {
                // What is in memory goes on being served; the next wake-up tries again.
                logger.warning("CRLs not reloaded", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Fetches the lists that are other than those in memory.
    package func load() async throws(RecordError) {
        for part in CRLPart.allCases { try await load(part) }
    }

    private func load(_ part: CRLPart) async throws(RecordError) {
        try await recording {
            let known = published.numbers
            // A row an issuer: it is asked after each revocation, and a thousand rows would take longer than the rest.
            let rows = try await pool.query(
                """
                select issuer_id, array_agg(shard order by shard), array_agg(number order by shard) from crls
                where \(unescaped: part.condition) group by issuer_id
                """
            )
            let stale = try rows.flatMap { row in
                let issuer = IssuerID(try row.decode(at: 0))
                let shards = try row.decode(at: 1, as: [Int32].self)
                return zip(shards, try row.decode(at: 2, as: [Int64].self)).compactMap { shard, number in
                    let scope = CRLScope(issuer: issuer, shard: Int(shard))
                    return number == known[scope] ? nil : scope
                }
            }
            for start in stride(from: 0, to: stale.count, by: Self.batchMax) {
                published.put(try await lists(Array(stale[start..<min(start + Self.batchMax, stale.count)])))
            }
        }
    }

    private func lists(_ scopes: [CRLScope]) async throws -> [CRLScope: PublishedCRL] {
        let rows = try await pool.query(
            """
            select c.issuer_id, c.shard, i.name, c.number, c.this_update, c.next_update, c.list, c.delta
            from unnest(\(scopes.map(\.issuer.value)), \(scopes.map { Int32(clamping: $0.shard) }))
                as wanted (issuer_id, shard)
            join crls c on c.issuer_id = wanted.issuer_id and c.shard = wanted.shard
            join issuers i on i.id = c.issuer_id
            """
        )
        return try rows.reduce(into: [:]) { lists, row in
            var columns = row.columns
            let scope = CRLScope(
                issuer: IssuerID(try columns.next(Int64.self)),
                shard: Int(try columns.next(Int32.self))
            )
            lists[scope] = PublishedCRL(
                issuerName: try columns.next(String.self),
                number: try columns.next(Int64.self),
                thisUpdate: try columns.next(),
                nextUpdate: try columns.next(),
                list: PublishedCRL.Document(try columns.next([UInt8].self)),
                delta: PublishedCRL.Document(try columns.next([UInt8].self))
            )
        }
    }
}
