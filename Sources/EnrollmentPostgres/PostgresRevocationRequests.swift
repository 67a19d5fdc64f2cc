package import Enrollment
package import Foundation
package import PKI
package import Postgres

/// Requests for a second operator's approval, in PostgreSQL.
package struct PostgresRevocationRequests: RevocationRequestRegister {
    private let pool: PostgresPool
    private let limit: RevocationLimit

    /// - Parameter perHourMax: As the register of revocations has it; 0 is no limit.
    package init(pool: PostgresPool, perHourMax: Int = 0) {
        self.pool = pool
        limit = RevocationLimit(perHourMax: perHourMax)
    }

    package func allowance(of actor: String, at: Date) async throws(RecordError) -> Int64? {
        try await recording { try await limit.left(to: actor, at: at, pool) }
    }

    package func ask(
        for devices: [DeviceID],
        of fleet: FleetID,
        reason: RevocationReason,
        comment: String?,
        actor: String,
        at: Date
    ) async throws(RecordError) -> RevocationRequestOutcome {
        let names = devices.map(\.text)
        let expires = at.addingTimeInterval(Double(RevocationRequestEntry.pendingMax.components.seconds))
        return try await recording {
            try await pool.withTransaction { connection in
                let unknown = try await connection.query(
                    """
                    select n.name from unnest(\(names)) as n (name)
                    where not exists (select from devices d where d.fleet_id = \(fleet.value) and d.device_id = n.name)
                    order by n.name collate "C" limit 1
                    """
                )
                if let row = unknown.first { return .unknown(device: try row.decode(as: String.self)) }
                let made = try await connection.query(
                    """
                    insert into revocation_requests (fleet_id, reason, comment, requested_at, requested_by, expires_at)
                    values (\(fleet.value), \(reason.rawValue), \(comment), \(at), \(actor), \(expires))
                    returning id
                    """
                )
                guard let id = try made.first?.decode(as: Int64.self) else {
                    throw RecordError.broken("a request was written and has no number")
                }
                _ = try await connection.query(
                    """
                    insert into revocation_request_devices (request_id, device_id)
                    select distinct \(id), name from unnest(\(names)) as n (name)
                    """
                )
                let entry = try await Self.entry(id, of: fleet, on: connection)
                try await Self.audit("requested", entry, of: fleet, actor: actor, at: at, on: connection)
                return .asked(entry)
            }
        }
    }

    package func approve(
        _ id: Int64,
        of fleet: FleetID,
        actor: String,
        at: Date
    ) async throws(RecordError) -> RevocationApprovalOutcome? {
        let expires = at.addingTimeInterval(Double(RevocationRequestEntry.approvedMax.components.seconds))
        return try await recording {
            try await pool.withTransaction { connection in
                let found = try await connection.query(
                    """
                    select requested_by from revocation_requests where id = \(id) and fleet_id = \(fleet.value)
                    for no key update
                    """
                )
                guard let row = found.first else { return nil }
                if try row.decode(as: String.self) == actor { return .sameOperator }
                let before = try await Self.entry(id, of: fleet, on: connection)
                switch before.state(at: at) {
                case .expired: return .expired
                case .approved: return .approved(before)
                case .pending: break
                }
                _ = try await connection.query(
                    """
                    update revocation_requests set approved_at = \(at), approved_by = \(actor), expires_at = \(expires)
                    where id = \(id)
                    """
                )
                let entry = try await Self.entry(id, of: fleet, on: connection)
                try await Self.audit("approved", entry, of: fleet, actor: actor, at: at, on: connection)
                return .approved(entry)
            }
        }
    }

    package func request(_ id: Int64, of fleet: FleetID) async throws(RecordError) -> RevocationRequestEntry? {
        try await requests(of: fleet, after: id - 1, limit: 1).first { $0.id == id }
    }

    package func requests(
        of fleet: FleetID,
        after: Int64?,
        limit: Int
    ) async throws(RecordError) -> [RevocationRequestEntry] {
        try await recording {
            try await pool.query(Self.query(of: fleet, after: after ?? 0, limit: limit)).map(Self.entry)
        }
    }

    private static func entry(
        _ id: Int64,
        of fleet: FleetID,
        on connection: PostgresConnection
    ) async throws -> RevocationRequestEntry {
        guard let row = try await connection.query(query(of: fleet, after: id - 1, limit: 1)).first else {
            throw RecordError.broken("the request \(id) is gone")
        }
        return try entry(row)
    }

    private static func query(of fleet: FleetID, after: Int64, limit: Int) -> PostgresQuery {
        """
        select r.id, r.reason, r.comment,
               (select count(*) from revocation_request_devices d where d.request_id = r.id),
               (select count(*) from revocation_request_devices d where d.request_id = r.id and d.used_at is null),
               array(select d.device_id from revocation_request_devices d where d.request_id = r.id
                     order by d.device_id limit \(Int64(RevocationRequestEntry.sampleMax))),
               r.requested_at, r.requested_by, r.approved_at, r.approved_by, r.expires_at
        from revocation_requests r
        where r.fleet_id = \(fleet.value) and r.id > \(after)
        order by r.id limit \(Int64(limit))
        """
    }

    private static func entry(_ row: PostgresRow) throws -> RevocationRequestEntry {
        var columns = row.columns
        return RevocationRequestEntry(
            id: try columns.next(),
            reason: try columns.next(),
            comment: try columns.next(),
            devices: try columns.next(),
            left: try columns.next(),
            sample: try columns.next(),
            requestedAt: try columns.next(),
            requestedBy: try columns.next(),
            approvedAt: try columns.next(),
            approvedBy: try columns.next(),
            expiresAt: try columns.next()
        )
    }

    private static func audit(
        _ what: String,
        _ entry: RevocationRequestEntry,
        of fleet: FleetID,
        actor: String,
        at: Date,
        on connection: PostgresConnection
    ) async throws {
        let why = entry.comment.map { ": \($0)" } ?? ""
        try await Audited.append(to: fleet, on: connection) { name in
            AuditEntry(
                at: at,
                actor: actor,
                action: "revocation.\(what)",
                subject: AuditSubject.revocationRequest(entry.id, fleet: name),
                detail: "\(entry.devices) devices, \(entry.reason)\(why)"
            )
        }
    }
}
