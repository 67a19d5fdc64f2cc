package import Enrollment
package import Foundation
import PKI
package import Postgres

/// Approvals in PostgreSQL.
package struct PostgresApprovalRegister: ApprovalRegister {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func approvals(
        of fleet: FleetID,
        state: ApprovalState?,
        after: Int64?,
        limit: Int
    ) async throws(RecordError) -> [ApprovalEntry] {
        // The index goes by state: all of them are as many short walks.
        let states = state.map { [$0] } ?? ApprovalState.allCases
        return try await recording {
            let rows = try await pool.query(
                """
                select p.id, p.device_id, p.key_sha256, p.kind, p.state, a.name, p.credential_sha256,
                       p.credential_subject, p.source, p.requested_at, p.decided_at, p.decided_by, p.comment
                from unnest(\(states.map(\.rawValue))) as s (state)
                cross join lateral (
                    select * from approvals w
                    where w.fleet_id = \(fleet.value) and w.state = s.state and w.id > \(after ?? 0)
                    order by w.id limit \(Int64(limit))) as p
                left join anchors a on a.id = p.anchor_id
                order by p.id limit \(Int64(limit))
                """
            )
            return try rows.map { try ApprovalEntry($0) }
        }
    }

    package func approval(_ id: Int64, of fleet: FleetID) async throws(RecordError) -> ApprovalEntry? {
        try await recording { try await pool.query(Self.query(id, of: fleet)).first.map { try ApprovalEntry($0) } }
    }

    package func decide(
        _ id: Int64,
        of fleet: FleetID,
        approve: Bool,
        comment: String?,
        actor: String,
        at: Date
    ) async throws(RecordError) -> ApprovalEntry? {
        let state: ApprovalState = approve ? .approved : .rejected
        return try await recording {
            try await pool.withTransaction { connection in
                let changed = try await connection.query(
                    """
                    update approvals set state = \(state.rawValue), decided_at = \(at), decided_by = \(actor),
                                         comment = \(comment)
                    where id = \(id) and fleet_id = \(fleet.value) and state <> \(state.rawValue)
                    """
                )
                guard let row = try await connection.query(Self.query(id, of: fleet)).first else { return nil }
                let entry = try ApprovalEntry(row)
                if changed.affectedRows == 0 { return entry }
                try await Audited.append(to: fleet, on: connection) { name in
                    let why = comment.map { ": \($0)" } ?? ""
                    return AuditEntry(
                        at: at,
                        actor: actor,
                        action: "approval.\(state.rawValue)",
                        subject: AuditSubject.device(entry.device, fleet: name),
                        detail: "\(entry.kind.rawValue), key \(Hex.text(entry.publicKeySHA256))\(why)"
                    )
                }
                return entry
            }
        }
    }

    private static func query(_ id: Int64, of fleet: FleetID) -> PostgresQuery {
        """
        select p.id, p.device_id, p.key_sha256, p.kind, p.state, a.name, p.credential_sha256, p.credential_subject,
               p.source, p.requested_at, p.decided_at, p.decided_by, p.comment
        from approvals p left join anchors a on a.id = p.anchor_id
        where p.id = \(id) and p.fleet_id = \(fleet.value)
        """
    }
}

extension ApprovalEntry {
    fileprivate init(_ row: PostgresRow) throws {
        var columns = row.columns
        let id = try columns.next(Int64.self)
        let device = try columns.next(String.self)
        let key = try columns.next([UInt8].self)
        guard let kind = ApprovalRequest.Kind(rawValue: try columns.next(String.self)),
            let state = ApprovalState(rawValue: try columns.next(String.self))
        else { throw RecordError.broken("the approval \(id) is of an unknown kind or state") }
        self.init(
            id: id,
            device: device,
            publicKeySHA256: key,
            kind: kind,
            state: state,
            anchor: try columns.next(String?.self),
            credentialSHA256: try columns.next(),
            credentialSubject: try columns.next(String?.self),
            source: try columns.next(),
            requestedAt: try columns.next(),
            decidedAt: try columns.next(Date?.self),
            decidedBy: try columns.next(String?.self),
            comment: try columns.next(String?.self)
        )
    }
}
