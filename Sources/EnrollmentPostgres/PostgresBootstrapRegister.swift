package import Enrollment
package import Foundation
import PKI
package import Postgres

/// Anchors and bootstrap credentials in PostgreSQL.
package struct PostgresBootstrapRegister: BootstrapRegister {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func anchors(of fleet: FleetID) async throws(RecordError) -> [AnchorEntry] {
        try await recording { try await pool.query(Self.anchors(of: fleet, named: nil)).map { try AnchorEntry($0) } }
    }

    package func setBlock(
        ofAnchor name: String,
        fleet: FleetID,
        isBlocked: Bool,
        comment: String?,
        actor: String,
        at: Date
    ) async throws(RecordError) -> AnchorEntry? {
        try await recording {
            try await pool.withTransaction { connection in
                let (head, fleetName) = try await Audited.lock(fleet, on: connection)
                let changed = try await connection.query(
                    """
                    update anchors
                    set blocked_at = \(isBlocked ? at : nil), blocked_by = \(isBlocked ? actor : nil),
                        block_comment = \(isBlocked ? comment : nil)
                    where fleet_id = \(fleet.value) and name = \(name) and removed_at is null
                        and (blocked_at is not null) <> \(isBlocked)
                    """
                )
                let rows = try await connection.query(Self.anchors(of: fleet, named: name))
                guard let entry = try rows.first.map({ try AnchorEntry($0) }) else { return nil }
                if changed.affectedRows == 0 { return entry }
                let audit = AuditEntry(
                    at: at,
                    actor: actor,
                    action: isBlocked ? "anchor.blocked" : "anchor.unblocked",
                    subject: AuditSubject.anchor(name, fleet: fleetName),
                    detail: isBlocked ? comment ?? "" : ""
                )
                _ = try await connection.pipeline(AuditWriter.queries([audit], after: head))
                return entry
            }
        }
    }

    package func credentials(
        of fleet: FleetID,
        _ selection: CredentialSelection,
        after: [UInt8]?,
        limit: Int
    ) async throws(RecordError) -> [CredentialEntry] {
        let query: PostgresQuery =
            switch selection {
            case .all:
                """
                with page as (
                    select * from bootstrap_credentials
                    where fleet_id = \(fleet.value) and sha256 > \(after ?? []) order by sha256 limit \(Int64(limit))
                )
                \(unescaped: CredentialRow.entries) order by b.sha256
                """
            case .marked:
                """
                with page as (
                    select * from bootstrap_credentials
                    where fleet_id = \(fleet.value) and sha256 > \(after ?? []) and marked_at is not null
                    order by sha256 limit \(Int64(limit))
                )
                \(unescaped: CredentialRow.entries) order by b.sha256
                """
            case .blocked:
                """
                with page as (
                    select * from bootstrap_credentials
                    where fleet_id = \(fleet.value) and sha256 > \(after ?? []) and blocked_at is not null
                    order by sha256 limit \(Int64(limit))
                )
                \(unescaped: CredentialRow.entries) order by b.sha256
                """
            }
        return try await recording { try await pool.query(query).map { try CredentialRow.decode($0) } }
    }

    package func credential(_ sha256: [UInt8], of fleet: FleetID) async throws(RecordError) -> CredentialEntry? {
        try await recording {
            try await pool.query(CredentialRow.query(sha256, of: fleet)).first.map { try CredentialRow.decode($0) }
        }
    }

    package func change(
        _ sha256: [UInt8],
        of fleet: FleetID,
        _ change: CredentialChange,
        actor: String,
        at: Date
    ) async throws(RecordError) -> CredentialEntry {
        try await recording {
            try await pool.withTransaction { connection in
                let (head, fleetName) = try await Audited.lock(fleet, on: connection)
                let statement = CredentialStatement(change, sha256: sha256, fleet: fleet.value, actor: actor, at: at)
                let changed = try await connection.query(statement.query)
                let rows = try await connection.query(CredentialRow.query(sha256, of: fleet))
                let entry = try rows.first.map { try CredentialRow.decode($0) } ?? .unseen(sha256)
                if changed.affectedRows == 0 { return entry }
                let audit = AuditEntry(
                    at: at,
                    actor: actor,
                    action: statement.action,
                    subject: AuditSubject.credential(sha256, fleet: fleetName),
                    detail: statement.detail
                )
                _ = try await connection.pipeline(AuditWriter.queries([audit], after: head))
                return entry
            }
        }
    }

    /// - Parameter named: Only that one; nil is all.
    private static func anchors(of fleet: FleetID, named name: String?) -> PostgresQuery {
        """
        select a.name, a.certificate, a.device_id_rule, a.device_id_pattern, a.key_change, a.devices_max,
               a.devices_per_hour, a.valid_from, a.valid_until, a.credential_devices_max,
               a.credential_devices_per_hour, a.credential_valid_from, a.credential_valid_until,
               coalesce(u.devices, 0),
               (select coalesce(sum(m.devices), 0)::int8 from bootstrap_minutes m
                where m.anchor_id = a.id and m.credential_sha256 = ''
                    and m.minute >= date_trunc('minute', now()) - interval '60 minutes'),
               a.blocked_at, a.blocked_by, a.block_comment
        from anchors a left join anchor_usage u on u.anchor_id = a.id
        where a.fleet_id = \(fleet.value) and a.removed_at is null and a.name = coalesce(\(name), a.name)
        order by a.name collate "C"
        """
    }
}

extension AnchorEntry {
    fileprivate init(_ row: PostgresRow) throws {
        var columns = row.columns
        let anchor = try AnchorRow(&columns)
        guard let rule = anchor.rule, let keyChange = anchor.keyChange else {
            throw RecordError.broken("the anchor \(anchor.name) has a rule that this program does not know")
        }
        self.init(
            name: anchor.name,
            certificate: anchor.certificate,
            rule: rule,
            keyChange: keyChange,
            limits: anchor.limits,
            devices: try columns.next(),
            devicesLastHour: try columns.next(),
            block: try BlockEntry(&columns)
        )
    }
}

extension BlockEntry {
    /// blocked_at, blocked_by, block_comment; nil if the first is null.
    init?(_ columns: inout PostgresColumns) throws(PostgresError) {
        let at = try columns.next(Date?.self)
        let by = try columns.next(String?.self)
        let comment = try columns.next(String?.self)
        guard let at else { return nil }
        self.init(at: at, by: by ?? "", comment: comment)
    }
}
