package import Enrollment
import Foundation
package import Postgres

/// The audit log in PostgreSQL, to read and to check.
package struct PostgresAuditLog: AuditReading {
    /// Entries read at once.
    private static let pageSize: Int64 = 5_000

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func entries(
        subject: String?,
        before: Int64?,
        limit: Int
    ) async throws(RecordError) -> [SequencedAuditEntry] {
        let before = before ?? .max
        let query: PostgresQuery =
            if let subject {
                """
                select seq, at, actor, action, subject, detail, hash from audit
                where subject = \(subject) and seq < \(before) order by seq desc limit \(Int64(limit))
                """
            } else {
                """
                select seq, at, actor, action, subject, detail, hash from audit
                where seq < \(before) order by seq desc limit \(Int64(limit))
                """
            }
        return try await recording { try await pool.query(query).map { try SequencedAuditEntry($0) } }
    }

    /// Recomputes the whole chain and compares it with what stands there, and its end with the kept end.
    package func verify() async throws(RecordError) -> AuditVerdict {
        try await recording {
            try await pool.withConnection { connection in
                // One snapshot, so that a server that goes on writing does not look like a forger.
                _ = try await connection.query("begin isolation level repeatable read read only")
                do {
                    let verdict = try await Self.verify(on: connection)
                    _ = try await connection.query("commit")
                    return verdict
                } catch {
                    _ = try? await connection.query("rollback")
                    throw error
                }
            }
        }
    }

    private static func verify(on connection: PostgresConnection) async throws -> AuditVerdict {
        let head = try AuditWriter.Head(try await connection.query("select seq, hash from audit_head"))
        var sequence: Int64 = 0
        var previous = AuditChain.origin
        while true {
            let rows = try await connection.query(
                """
                select seq, at, actor, action, subject, detail, hash from audit
                where seq > \(sequence) order by seq limit \(pageSize)
                """
            )
            if rows.isEmpty { break }
            for row in rows {
                let found = try SequencedAuditEntry(row)
                guard found.sequence == sequence + 1 else {
                    return .broken(sequence: sequence + 1, why: "the entry is missing; \(found.sequence) comes next")
                }
                let expected = AuditChain.hash(found.entry, sequence: found.sequence, previous: previous)
                guard found.hash == expected else {
                    return .broken(
                        sequence: found.sequence,
                        why: "the entry or its hash was changed, or one was inserted"
                    )
                }
                sequence = found.sequence
                previous = expected
            }
        }
        guard head.sequence == sequence, head.hash == previous else {
            return .broken(sequence: sequence, why: "the chain ends here, but its kept end is entry \(head.sequence)")
        }
        return .intact(entries: sequence)
    }
}

extension SequencedAuditEntry {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        var columns = row.columns
        self.init(
            sequence: try columns.next(),
            entry: AuditEntry(
                at: try columns.next(),
                actor: try columns.next(),
                action: try columns.next(),
                subject: try columns.next(),
                detail: try columns.next()
            ),
            hash: try columns.next()
        )
    }
}
