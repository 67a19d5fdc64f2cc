import Foundation
import Postgres

/// Writes events in the transaction that causes them.
enum OutboxWriter {
    /// Statements that leave a message for the broker, and wake whoever publishes.
    /// - Parameter sequence: Of the audit entry by which one asks whether it is published; nil if nobody does.
    static func queries(
        fleet: Int64,
        topic: String,
        payload: [UInt8],
        retained: Bool,
        sequence: Int64? = nil,
        at: Date
    ) -> [PostgresQuery] {
        [
            """
            insert into outbox (fleet_id, topic, payload, retained, audit_seq, created_at)
            values (\(fleet), \(topic), \(payload), \(retained), \(sequence), \(at))
            """,
            RecordChanges.notifyQuery(.outbox),
        ]
    }
}
