package import Enrollment
package import Foundation
package import PKI
package import Postgres
import Synchronization

/// Registrations in PostgreSQL.
package struct PostgresRegistrationRegister: RegistrationRegister {
    /// One import at a time into each fleet: two at once would lock the same rows in different orders.
    private static let importLock: Int32 = 0x6D75_7374

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    package func registrations(
        of fleet: FleetID,
        prefix: String,
        after: String?,
        limit: Int
    ) async throws(RecordError) -> [RegistrationEntry] {
        let names = NameRange(prefix: prefix, after: after)
        return try await recording {
            let rows = try await pool.query(
                """
                select r.device_id, r.key_sha256, r.idevid_sha256, r.created_at, r.changed_at,
                       coalesce((select true from devices d
                                 where d.fleet_id = r.fleet_id and d.device_id = r.device_id), false)
                from registrations r
                where r.fleet_id = \(fleet.value) and r.device_id >= \(names.first) and r.device_id < \(names.end)
                order by r.device_id limit \(Int64(limit))
                """
            )
            return try rows.map { try RegistrationEntry($0) }
        }
    }

    package func registration(
        _ device: DeviceID,
        of fleet: FleetID
    ) async throws(RecordError) -> RegistrationEntry? {
        try await recording {
            let rows = try await pool.query(
                """
                select r.device_id, r.key_sha256, r.idevid_sha256, r.created_at, r.changed_at,
                       coalesce((select true from devices d
                                 where d.fleet_id = r.fleet_id and d.device_id = r.device_id), false)
                from registrations r where r.fleet_id = \(fleet.value) and r.device_id = \(device.text)
                """
            )
            return try rows.first.map { try RegistrationEntry($0) }
        }
    }

    package func register(
        _ device: DeviceID,
        _ registration: Registration,
        fleet: FleetID,
        actor: String,
        at: Date
    ) async throws(RecordError) -> RegistrationChange {
        try await recording {
            try await pool.withTransaction { connection in
                let line = RegistrationLine(device: device, registration: registration)
                let counts = try await Self.write([line], fleet: fleet, at: at, on: connection)
                let change: RegistrationChange =
                    counts.added > 0 ? .added : counts.changed > 0 ? .changed : .unchanged
                if change == .unchanged { return change }
                let pins = [
                    registration.publicKeySHA256.map { "key \(Hex.text($0))" },
                    registration.idevidSHA256.map { "IDevID \(Hex.text($0))" },
                ]
                try await Audited.append(to: fleet, on: connection) { name in
                    AuditEntry(
                        at: at,
                        actor: actor,
                        action: change == .added ? "registration.added" : "registration.changed",
                        subject: AuditSubject.device(device.text, fleet: name),
                        detail: pins.compactMap(\.self).joined(separator: ", ")
                    )
                }
                return change
            }
        }
    }

    package func remove(
        _ device: DeviceID,
        fleet: FleetID,
        actor: String,
        at: Date
    ) async throws(RecordError) -> Bool {
        try await recording {
            try await pool.withTransaction { connection in
                let removed = try await connection.query(
                    "delete from registrations where fleet_id = \(fleet.value) and device_id = \(device.text)"
                )
                if removed.affectedRows == 0 { return false }
                try await Audited.append(to: fleet, on: connection) { name in
                    AuditEntry(
                        at: at,
                        actor: actor,
                        action: "registration.removed",
                        subject: AuditSubject.device(device.text, fleet: name),
                        detail: ""
                    )
                }
                return true
            }
        }
    }

    package func registerAll(
        fleet: FleetID,
        actor: String,
        at: Date,
        _ feed: @Sendable (_ sink: @Sendable ([RegistrationLine]) async throws -> Void) async throws -> Void
    ) async throws -> RegistrationCounts {
        do {
            return try await pool.withTransaction { connection in
                let fleetLock = Int32(truncatingIfNeeded: fleet.value)
                let locked = try await connection.query(
                    "select pg_try_advisory_xact_lock(\(Self.importLock), \(fleetLock))"
                )
                guard try locked.first?.decode(as: Bool.self) == true else {
                    throw RecordError.unavailable("another import into this fleet is at work; wait until it is done")
                }
                let sum = Mutex(RegistrationCounts())
                try await feed { lines in
                    let counts = try await Self.write(lines, fleet: fleet, at: at, on: connection)
                    sum.withLock { sum in
                        sum.added += counts.added
                        sum.changed += counts.changed
                        sum.unchanged += counts.unchanged
                    }
                }
                let counts = sum.withLock { $0 }
                // Last, since enrollments wait for whoever holds the end of the audit chain.
                try await Audited.append(to: fleet, on: connection) { name in
                    AuditEntry(
                        at: at,
                        actor: actor,
                        action: "registrations.imported",
                        subject: name,
                        detail: "added \(counts.added), changed \(counts.changed), unchanged \(counts.unchanged)"
                    )
                }
                return counts
            }
        } catch let error as PostgresError {
            throw RecordError(error)
        }
    }

    /// Of a device that stands several times among the lines, the last one counts. Rows that say so already are not
    /// touched.
    private static func write(
        _ lines: [RegistrationLine],
        fleet: FleetID,
        at: Date,
        on connection: PostgresConnection
    ) async throws -> RegistrationCounts {
        if lines.isEmpty { return RegistrationCounts() }
        let rows = try await connection.query(
            """
            with wanted as (
                select distinct on (device_id collate "C") device_id, key_sha256, idevid_sha256
                from unnest(\(lines.map(\.device.text)), \(lines.map(\.registration.publicKeySHA256)),
                            \(lines.map(\.registration.idevidSHA256)))
                    with ordinality as w (device_id, key_sha256, idevid_sha256, place)
                order by device_id collate "C", place desc
            ), written as (
                insert into registrations as r (fleet_id, device_id, key_sha256, idevid_sha256, created_at, changed_at)
                select \(fleet.value), w.device_id, w.key_sha256, w.idevid_sha256, \(at), \(at)
                from wanted w left join registrations p on p.fleet_id = \(fleet.value) and p.device_id = w.device_id
                where p.device_id is null
                    or (p.key_sha256, p.idevid_sha256) is distinct from (w.key_sha256, w.idevid_sha256)
                on conflict (fleet_id, device_id) do update
                set key_sha256 = excluded.key_sha256, idevid_sha256 = excluded.idevid_sha256,
                    changed_at = excluded.changed_at
                where (r.key_sha256, r.idevid_sha256) is distinct from (excluded.key_sha256, excluded.idevid_sha256)
                returning r.xmax = 0 as is_new
            )
            select count(*) filter (where is_new), count(*) filter (where not is_new),
                   (select count(*) from wanted)
            from written
            """
        )
        guard let row = rows.first else { throw RecordError.broken("the registrations were not counted") }
        let added: Int64 = try row.decode(at: 0)
        let changed: Int64 = try row.decode(at: 1)
        let all: Int64 = try row.decode(at: 2)
        return RegistrationCounts(added: added, changed: changed, unchanged: all - added - changed)
    }
}

extension RegistrationEntry {
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        var columns = row.columns
        self.init(
            device: try columns.next(),
            registration: Registration(
                publicKeySHA256: try columns.next([UInt8]?.self),
                idevidSHA256: try columns.next([UInt8]?.self)
            ),
            createdAt: try columns.next(),
            changedAt: try columns.next(),
            isEnrolled: try columns.next()
        )
    }
}
