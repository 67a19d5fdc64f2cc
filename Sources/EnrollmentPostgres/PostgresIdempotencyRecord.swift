package import Enrollment
package import Foundation
package import Postgres

/// Idempotency keys in PostgreSQL.
package struct PostgresIdempotencyRecord: IdempotencyRecord {
    /// How often a key is looked for that another request gave back between our two looks.
    private static let roundsMax = 3

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func begin(_ key: IdempotencyKey, at: Date) async throws(RecordError) -> IdempotencyStanding {
        let expired = at.addingTimeInterval(-Double(IdempotencyKey.lifetime.components.seconds))
        let cutOff = at.addingTimeInterval(-Double(IdempotencyKey.workMax.components.seconds))
        return try await recording {
            for _ in 0..<Self.roundsMax {
                let results = try await pool.pipeline([
                    """
                    insert into idempotency_keys as k (actor, key, request_sha256, created_at)
                    values (\(key.actor), \(key.key), \(key.requestSHA256), \(at))
                    on conflict (actor, key) do update
                    set request_sha256 = excluded.request_sha256, created_at = excluded.created_at, status = null,
                        content_type = null, body = null
                    where k.created_at < \(expired)
                        or k.status is null and k.created_at < \(cutOff) and k.request_sha256 = excluded.request_sha256
                    returning true
                    """,
                    """
                    select request_sha256, status, content_type, body from idempotency_keys
                    where actor = \(key.actor) and key = \(key.key)
                    """,
                ])
                if !results[0].isEmpty { return .taken }
                guard let row = results[1].first else { continue }
                guard try row.decode(at: 0, as: [UInt8].self) == key.requestSHA256 else { return .ofAnotherRequest }
                guard let status = try row.decode(at: 1, as: Int?.self) else { return .atWork }
                return .answered(
                    KeptAnswer(
                        status: status,
                        contentType: try row.decode(at: 2, as: String?.self),
                        body: try row.decode(at: 3, as: [UInt8]?.self) ?? []
                    )
                )
            }
            return .atWork
        }
    }

    package func finish(_ key: IdempotencyKey, answer: KeptAnswer) async throws(RecordError) {
        try await recording {
            _ = try await pool.query(
                """
                update idempotency_keys
                set status = \(Int32(clamping: answer.status)), content_type = \(answer.contentType),
                    body = \(answer.body)
                where actor = \(key.actor) and key = \(key.key) and request_sha256 = \(key.requestSHA256)
                """
            )
        }
    }

    package func abandon(_ key: IdempotencyKey) async throws(RecordError) {
        try await recording {
            _ = try await pool.query(
                """
                delete from idempotency_keys
                where actor = \(key.actor) and key = \(key.key) and request_sha256 = \(key.requestSHA256)
                    and status is null
                """
            )
        }
    }
}
