package import Enrollment
package import Foundation
package import Postgres

/// Throws away what the record needs no more.
package struct RecordUpkeep: Sendable {
    /// Limits by the hour look back 60 minutes; the rest is for clocks that differ.
    package static let minutesKept: Duration = .seconds(2 * 3_600)
    /// Rows deleted by one statement, so that none takes long.
    private static let batch: Int64 = 5_000
    /// Statements a call; what is left waits for the next call.
    private static let batchesMax = 200

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// Removes minutes that no limit counts any more, and answers kept for longer than promised.
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
        return minutes + answers
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
