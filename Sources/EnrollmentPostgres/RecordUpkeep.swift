package import Enrollment
package import Foundation
package import Postgres

/// Throws away what the record needs no more.
package struct RecordUpkeep: Sendable {
    /// Limits by the hour look back 60 minutes; the rest is for clocks that differ.
    package static let minutesKept: Duration = .seconds(2 * 3_600)
    /// How long one is told when a CRL had a revocation; by the last ones one tells for good which agents are behind.
    package static let signingsKept: Duration = .seconds(30 * 86_400)
    /// How long events that no webhook took can be sent once more by an operator.
    package static let webhookEventsKept: Duration = .seconds(30 * 86_400)
    /// How long requests for a second operator's approval can be looked at; the audit log has them for good.
    package static let requestsKept: Duration = .seconds(30 * 86_400)
    /// Rows deleted by one statement, so that none takes long.
    private static let batch: Int64 = 5_000
    /// Statements a call; what is left waits for the next call.
    private static let batchesMax = 200

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// Removes minutes that no limit counts any more, answers kept for longer than promised, and when CRLs of long ago were
    /// signed, and events that webhooks did not take, or that no longer have one.
    /// - Returns: How many rows were removed.
    package func removeStale(at: Date) async throws(RecordError) -> Int {
        let minute = at.addingTimeInterval(-Double(Self.minutesKept.components.seconds))
        let answer = at.addingTimeInterval(-Double(IdempotencyKey.lifetime.components.seconds))
        let minutes = try await remove(
            """
            delete from bootstrap_minutes where ctid = any (array(
                select ctid from bootstrap_minutes where minute < \(minute) limit \(Self.batch)))
            """
        )
        let answers = try await remove(
            """
            delete from idempotency_keys where ctid = any (array(
                select ctid from idempotency_keys where created_at < \(answer) limit \(Self.batch)))
                and created_at < \(answer)
            """
        )
        let signing = at.addingTimeInterval(-Double(Self.signingsKept.components.seconds))
        let signings = try await remove(
            """
            delete from crl_signings where ctid = any (array(
                select ctid from crl_signings s where signed_at < \(signing) and exists (
                    select from crl_signings n
                    where n.issuer_id = s.issuer_id and n.shard = s.shard and n.number > s.number)
                limit \(Self.batch)))
                and signed_at < \(signing)
            """
        )
        let event = at.addingTimeInterval(-Double(Self.webhookEventsKept.components.seconds))
        let events = try await remove(
            """
            delete from webhook_events where ctid = any (array(
                select ctid from webhook_events where given_up_at < \(event) limit \(Self.batch)))
                and given_up_at < \(event)
            """
        )
        let orphans = try await remove(
            """
            delete from webhook_events where ctid = any (array(
                select ctid from webhook_events where given_up_at is null and give_up_at < \(event) limit \(Self.batch)))
                and given_up_at is null and give_up_at < \(event)
            """
        )
        let revocations = try await remove(
            """
            delete from revocation_minutes where ctid = any (array(
                select ctid from revocation_minutes where minute < \(minute) limit \(Self.batch)))
                and minute < \(minute)
            """
        )
        let request = at.addingTimeInterval(-Double(Self.requestsKept.components.seconds))
        let requests = try await remove(
            """
            delete from revocation_requests where id = any (array(
                select id from revocation_requests where expires_at < \(request) limit 10))
            """
        )
        return minutes + answers + signings + events + orphans + revocations + requests
    }

    private func remove(_ query: PostgresQuery) async throws(RecordError) -> Int {
        try await recording {
            var removed = 0
            for _ in 0..<Self.batchesMax {
                let count = try await pool.query(query).affectedRows
                removed += count
                if count < Self.batch { break }
            }
            return removed
        }
    }
}
