package import Enrollment
package import Foundation
package import PKI
package import Postgres

/// The outbox in PostgreSQL. Whoever takes a fleet's oldest waiting event locks its row, and may take those that follow; all
/// others leave the fleet alone. So any number of replicas share the work, and each fleet's order holds.
package struct PostgresOutbox: Outbox, AcknowledgementRecord {
    private let pool: PostgresPool
    private let changes: RecordChanges

    package init(pool: PostgresPool, changes: RecordChanges) {
        self.pool = pool
        self.changes = changes
    }

    package func wakeups() -> AsyncStream<Void> { changes.stream(.outbox) }

    package func publishWaiting(
        limit: Int,
        _ publish: @Sendable (OutboxEvent) async throws -> Void
    ) async throws -> Int {
        let outcome: Result<Int, any Error> = try await recording {
            try await pool.withTransaction { connection in
                let rows = try await connection.query(
                    """
                    with oldest as (
                        select o.fleet_id from outbox o
                        where o.published_at is null and not exists (
                            select from outbox before
                            where before.fleet_id = o.fleet_id and before.published_at is null and before.id < o.id)
                        order by o.id limit \(Int64(limit)) for update skip locked
                    )
                    select o.id, o.topic, o.payload, o.retained, o.created_at
                    from outbox o join oldest using (fleet_id)
                    where o.published_at is null order by o.id limit \(Int64(limit))
                    """
                )
                var published: [Int64] = []
                var failure: (any Error)?
                for row in rows {
                    let event = try Self.event(row)
                    do {
                        try await publish(event)
                        published.append(event.id)
                    } catch {
                        failure = error
                        break
                    }
                }
                if !published.isEmpty {
                    _ = try await connection.query(
                        "update outbox set published_at = clock_timestamp() where id = any (\(published))"
                    )
                } else if let failure {
                    return .failure(failure)
                }
                return .success(published.count)
            }
        }
        return try outcome.get()
    }

    /// A newer event that is being written meanwhile has a higher id, and so comes after it.
    package func awaitRetainedAgain() async throws(RecordError) {
        try await recording {
            try await pool.withConnection { connection in
                _ = try await connection.pipeline([
                    """
                    update outbox o set published_at = null
                    where o.retained and o.published_at is not null and not exists (
                        select from outbox later
                        where later.fleet_id = o.fleet_id and later.topic = o.topic and later.retained
                            and later.id > o.id)
                    """,
                    RecordChanges.notifyQuery(.outbox),
                ])
            }
        }
    }

    private static func event(_ row: PostgresRow) throws -> OutboxEvent {
        var columns = row.columns
        return OutboxEvent(
            id: try columns.next(),
            topic: try columns.next(),
            payload: try columns.next(),
            retained: try columns.next(),
            createdAt: try columns.next()
        )
    }

    package func oldestWaitingSeconds() async throws(RecordError) -> Double? {
        try await recording {
            let rows = try await pool.query(
                """
                select extract(epoch from clock_timestamp() - min(created_at))::float8 from outbox
                where published_at is null
                """
            )
            return try rows.first?.decode(at: 0, as: Double?.self)
        }
    }

    package func acknowledge(
        fleet: FleetName,
        device: DeviceID,
        version: Int64,
        at: Date
    ) async throws(RecordError) -> Bool {
        try await recording {
            let rows = try await pool.query(
                """
                update devices d set trust_store_version = greatest(d.trust_store_version, t.version),
                                     trust_store_acknowledged_at = \(at),
                                     current_used_at = coalesce(d.current_used_at, \(at))
                from fleets f join trust_stores t on t.fleet_id = f.id
                where f.name = \(fleet.text) and d.fleet_id = f.id and d.device_id = \(device.text)
                    and t.version = \(version)
                """
            )
            return rows.affectedRows > 0
        }
    }
}
