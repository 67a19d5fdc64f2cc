package import Enrollment
package import Foundation
package import Postgres

/// The kept attempts in PostgreSQL.
package struct PostgresAttemptLog: AttemptLog {
    /// How far back a question goes that names no beginning and that no index answers.
    package static let windowStandard: Duration = .seconds(7 * 86_400)

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func attempts(
        _ query: AttemptQuery,
        after: AttemptPosition?,
        limit: Int
    ) async throws(RecordError) -> [AttemptEntry] {
        let selection = AttemptSelection(query, after: after, limit: limit)
        return try await recording { try await pool.query(selection.query).map { try AttemptEntry($0) } }
    }

    package func attempt(_ requestID: UUID) async throws(RecordError) -> AttemptEntry? {
        try await recording {
            let rows = try await pool.query(
                """
                with page as (
                    select * from attempts where request_id = \(requestID) order by at desc, id desc limit 1
                )
                \(unescaped: AttemptSelection.entries)
                """
            )
            return try rows.first.map { try AttemptEntry($0) }
        }
    }
}

extension AttemptEntry {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        var columns = row.columns
        self.init(
            id: try columns.next(),
            at: try columns.next(),
            requestID: try columns.next(),
            fleet: try columns.next(String?.self),
            device: try columns.next(String?.self),
            operation: try columns.next(),
            source: try columns.next(),
            credentialKind: try columns.next(String?.self),
            credentialSHA256: try columns.next([UInt8]?.self),
            credentialSubject: try columns.next(String?.self),
            anchor: try columns.next(String?.self),
            publicKeySHA256: try columns.next([UInt8]?.self),
            stage: try columns.next(),
            rule: try columns.next(),
            outcome: try columns.next(),
            reason: try columns.next(String?.self),
            detail: try columns.next(String?.self),
            issuer: try columns.next(String?.self),
            serialNumber: try columns.next([UInt8]?.self)
        )
    }
}
