import Foundation
import Postgres

/// Writes events in the transaction that causes them.
enum OutboxWriter {
    /// Statements that leave a message for the broker, and wake whoever publishes.
    static func queries(
        fleet: Int64,
        topic: String,
        payload: [UInt8],
        retained: Bool,
        at: Date
    ) -> [PostgresQuery] {
        [
            """
            insert into outbox (fleet_id, topic, payload, retained, created_at)
            values (\(fleet), \(topic), \(payload), \(retained), \(at))
            """,
            RecordChanges.notifyQuery(.outbox),
        ]
    }
}
