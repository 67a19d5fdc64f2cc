package import Enrollment
import Foundation
package import Postgres

/// Reads the audit log to check it.
package struct PostgresAuditLog: Sendable {
    /// Entries read at once.
    private static let pageSize: Int64 = 5_000

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

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
                var columns = row.columns
                let found = try columns.next(Int64.self)
                guard found == sequence + 1 else {
                    return .broken(sequence: sequence + 1, why: "the entry is missing; \(found) comes next")
                }
                let entry = AuditEntry(
                    at: try columns.next(Date.self),
                    actor: try columns.next(String.self),
                    action: try columns.next(String.self),
                    subject: try columns.next(String.self),
                    detail: try columns.next(String.self)
                )
                let expected = AuditChain.hash(entry, sequence: found, previous: previous)
                guard try columns.next([UInt8].self) == expected else {
                    return .broken(sequence: found, why: "the entry or its hash was changed, or one was inserted")
                }
                sequence = found
                previous = expected
            }
        }
        guard head.sequence == sequence, head.hash == previous else {
            return .broken(sequence: sequence, why: "the chain ends here, but its kept end is entry \(head.sequence)")
        }
        return .intact(entries: sequence)
    }
}
