package import Enrollment
package import Foundation
package import PKI
package import Postgres

/// Agents in PostgreSQL: what they report, and how operators see them.
package struct PostgresAgents: AgentRecord, AgentReading {
    /// The most agents of a fleet; further ones are not noted.
    package static let agentsMax: Int64 = 1_000
    /// Revocations that are timed of one report; a report after a long absence may tell of a great many.
    private static let timedMax: Int64 = 1_000

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    // MARK: Reports

    package func report(
        _ report: AgentReport,
        of names: DeviceNames,
        at: Date
    ) async throws(RecordError) -> AgentAdvance? {
        try await recording {
            try await pool.withTransaction { connection in
                // Locks the agent's row, so that of replicas that hear the same report one tells of what it brought.
                let rows = try await connection.query(
                    """
                    select f.id, a.sessions_through, a.device_id is not null,
                           (select count(*) from agents o where o.fleet_id = f.id)
                    from fleets f join devices d on d.fleet_id = f.id and d.device_id = \(names.device.text)
                    left join agents a on a.fleet_id = d.fleet_id and a.device_id = d.device_id
                    where f.name = \(names.fleet.text) and d.revocation_reason is null for no key update of d
                    """
                )
                guard let row = rows.first else { return nil }
                let fleet = try row.decode(at: 0, as: Int64.self)
                let isKnown = try row.decode(at: 2, as: Bool.self)
                let count = try row.decode(at: 3, as: Int64.self)
                guard isKnown || count < Self.agentsMax else { return nil }
                let (authorities, numbers) = Self.columns(report.lists)
                let before = try await Self.numbers(fleet, names, on: connection)
                try await connection.pipeline(
                    Self.notes(report, fleet: fleet, names: names, authorities: authorities, numbers: numbers, at: at)
                )
                var advance = AgentAdvance()
                if let through = report.sessionsThrough,
                    let last = try row.decode(at: 1, as: Int64?.self), through > last
                {
                    advance.sessionsEnded = try await Self.waited(
                        fleet,
                        after: last,
                        through: through,
                        at: at,
                        on: connection
                    )
                }
                for (authority, number) in zip(authorities, numbers) {
                    guard let last = before[authority], number > last else { continue }
                    let after = try await Self.through(authority, last, on: connection)
                    let through = try await Self.through(authority, number, on: connection)
                    guard through > after else { continue }
                    advance.inForce += try await Self.waited(
                        fleet,
                        after: after,
                        through: through,
                        at: at,
                        on: connection
                    )
                }
                return advance
            }
        }
    }

    private static func columns(_ lists: [[UInt8]: Int64]) -> (authorities: [[UInt8]], numbers: [Int64]) {
        let sorted = lists.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return (sorted.map(\.key), sorted.map(\.value))
    }

    private static func numbers(
        _ fleet: Int64,
        _ names: DeviceNames,
        on connection: PostgresConnection
    ) async throws -> [[UInt8]: Int64] {
        let rows = try await connection.query(
            """
            select authority_sha256, number from agent_lists
            where fleet_id = \(fleet) and device_id = \(names.device.text)
            """
        )
        return try rows.reduce(into: [:]) { numbers, row in
            numbers[try row.decode(at: 0, as: [UInt8].self)] = try row.decode(at: 1, as: Int64.self)
        }
    }

    private static func notes(
        _ report: AgentReport,
        fleet: Int64,
        names: DeviceNames,
        authorities: [[UInt8]],
        numbers: [Int64],
        at: Date
    ) -> [PostgresQuery] {
        let device = names.device.text
        let sessionsAt = report.sessionsThrough.map { _ in at }
        return [
            """
            insert into agents (fleet_id, device_id, reported_at, trust_store_version, sessions_through, sessions_at, faults)
            values (\(fleet), \(device), \(at), \(report.trustStoreVersion),
                    -- What was revoked before there was an agent is not its to end.
                    greatest(\(report.sessionsThrough)::bigint, case when \(report.sessionsThrough)::bigint is not null then (
                        select max(revocation_seq) from devices
                        where revocation_seq is not null and revoked_at < \(at)::timestamptz - interval '1 minute') end),
                    \(sessionsAt), \(Int32(clamping: report.faults)))
            on conflict (fleet_id, device_id) do update
            set reported_at = greatest(agents.reported_at, excluded.reported_at),
                trust_store_version = greatest(agents.trust_store_version, excluded.trust_store_version),
                sessions_through = greatest(agents.sessions_through, excluded.sessions_through),
                sessions_at = case when excluded.sessions_through > coalesce(agents.sessions_through, 0)
                                   then excluded.sessions_at else agents.sessions_at end,
                faults = excluded.faults
            """,
            """
            insert into agent_lists (fleet_id, device_id, authority_sha256, number, in_force_at)
            select \(fleet), \(device), authority, number, \(at)
            from unnest(\(authorities), \(numbers)) as lists (authority, number)
            -- Nobody fills the record with names of CAs that there are not: beside our own, an agent has as many as fit
            -- into a report.
            where exists (select from issuers i where sha256(i.certificate) = lists.authority)
                or exists (select from agent_lists l where l.fleet_id = \(fleet) and l.device_id = \(device)
                           and l.authority_sha256 = lists.authority)
                or (select count(*) from agent_lists l where l.fleet_id = \(fleet) and l.device_id = \(device))
                    + cardinality(\(authorities)) <= \(Int64(AgentReport.listsMax))
            on conflict (fleet_id, device_id, authority_sha256) do update
            set number = excluded.number, in_force_at = excluded.in_force_at
            where agent_lists.number < excluded.number
            """,
            // The acknowledgement of a version may have been lost with the broker; the report is kept there.
            """
            update devices d set trust_store_version = t.version, trust_store_acknowledged_at = \(at),
                                 current_used_at = coalesce(d.current_used_at, \(at))
            from trust_stores t
            where d.fleet_id = \(fleet) and d.device_id = \(device) and t.fleet_id = d.fleet_id
                and t.version = \(report.trustStoreVersion) and coalesce(d.trust_store_version, 0) < t.version
            """,
        ]
    }

    /// The last audit entry whose change is in that list of a CA.
    private static func through(
        _ authority: [UInt8],
        _ number: Int64,
        on connection: PostgresConnection
    ) async throws -> Int64 {
        let rows = try await connection.query(
            """
            select s.through from issuers i join crl_signings s on s.issuer_id = i.id and s.shard = 0
            where sha256(i.certificate) = \(authority) and s.number <= \(number)
            order by s.number desc limit 1
            """
        )
        return try rows.first?.decode() ?? 0
    }

    /// The seconds that the fleet's revocations after one audit entry and up to another have waited.
    private static func waited(
        _ fleet: Int64,
        after: Int64,
        through: Int64,
        at: Date,
        on connection: PostgresConnection
    ) async throws -> [Double] {
        let rows = try await connection.query(
            """
            select extract(epoch from \(at)::timestamptz - revoked_at)::float8 from devices
            where revocation_seq > \(after) and revocation_seq <= \(through) and fleet_id = \(fleet)
                and revoked_at is not null
                -- Whose first list or session this is was not there before.
                and (\(after) > 0 or revoked_at > \(at)::timestamptz - interval '1 minute')
            order by revocation_seq desc limit \(Self.timedMax)
            """
        )
        return try rows.map { max(0, try $0.decode(as: Double.self)) }
    }

    // MARK: Reading

    package func agents(of fleet: FleetID) async throws(RecordError) -> [AgentEntry] {
        try await recording { try await Self.entries(fleet, in: pool) }
    }

    /// Those that are revoked are not among them.
    static func entries(_ fleet: FleetID, in pool: PostgresPool) async throws -> [AgentEntry] {
        let rows = try await pool.query(
            """
            select a.device_id, a.reported_at, a.trust_store_version, a.sessions_through, a.sessions_at, a.faults,
                   array(select l.authority_sha256 from agent_lists l
                         where l.fleet_id = a.fleet_id and l.device_id = a.device_id order by l.authority_sha256),
                   array(select l.number from agent_lists l
                         where l.fleet_id = a.fleet_id and l.device_id = a.device_id order by l.authority_sha256),
                   array(select l.in_force_at from agent_lists l
                         where l.fleet_id = a.fleet_id and l.device_id = a.device_id order by l.authority_sha256)
            from agents a join devices d using (fleet_id, device_id)
            where a.fleet_id = \(fleet.value) and d.revocation_reason is null
            order by a.device_id limit \(agentsMax)
            """
        )
        return try rows.map { row in
            var columns = row.columns
            return AgentEntry(
                device: try columns.next(),
                reportedAt: try columns.next(),
                trustStoreVersion: try columns.next(Int64?.self),
                sessionsThrough: try columns.next(Int64?.self),
                sessionsAt: try columns.next(Date?.self),
                faults: Int(try columns.next(Int32.self)),
                lists: zip(
                    zip(try columns.next([[UInt8]].self), try columns.next([Int64].self)),
                    try columns.next([Date].self)
                ).map { AgentEntry.List(authoritySHA256: $0.0, number: $0.1, inForceAt: $1) }
            )
        }
    }
}
