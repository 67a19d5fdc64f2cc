import Postgres

/// A fleet's rows in the record as enrollments would have left them, made by PostgreSQL itself. For benchmarks.
struct SeededRecord: Sendable {
    /// Devices that one statement, and so one transaction, makes.
    static let batch = 100_000
    /// How long one statement may take on a slow disk.
    static let statementTimeout: Duration = .seconds(600)
    /// Devices that share a claim.
    private static let claimDevices = 1000

    /// Rows that were made.
    struct Rows: Sendable {
        var devices = 0
        /// Of all tables.
        var all = 0

        static func += (sum: inout Rows, more: Rows) {
            sum.devices += more.devices
            sum.all += more.all
        }
    }

    private let connection: PostgresConnection
    private let fleet: Int64
    private let issuer: Int64
    /// The anchor that the devices came by; nil if the fleet has none.
    private let anchor: Int64?
    private let isClaim: Bool

    /// - Throws: `database` if it is not on this machine or has no such fleet.
    static func open(_ uri: String, fleet name: String) async throws -> SeededRecord {
        let connection = try await LocalRecord.connect(uri, as: "muster-sim seed", callTimeout: statementTimeout)
        do {
            return try await SeededRecord(connection, fleet: name)
        } catch {
            connection.close()
            throw error
        }
    }

    private init(_ connection: PostgresConnection, fleet name: String) async throws {
        let found = try await connection.query(
            """
            select f.id, f.issuer_id, a.id, coalesce(a.device_id_rule = 'request-common-name', false)
            from fleets f left join anchors a on a.fleet_id = f.id and a.removed_at is null
            where f.name = \(name) order by a.id limit 1
            """
        )
        guard let row = found.first else {
            throw SimulatorError.database("there is no fleet \(name); make it with `muster fleet apply`")
        }
        var columns = row.columns
        fleet = try columns.next(Int64.self)
        issuer = try columns.next(Int64.self)
        anchor = try columns.next(Int64?.self)
        isClaim = try columns.next(Bool.self)
        self.connection = connection
    }

    func close() { connection.close() }

    /// Makes the devices of those numbers, where they are missing, as if they had enrolled within the last thirty days,
    /// the first of `total` at their beginning.
    /// - Parameter certificates: True if each is to have a bound key, a certificate and an attempt too.
    func fill(_ numbers: ClosedRange<Int>, of total: Int, certificates: Bool) async throws -> Rows {
        // The serial number begins with the time of issue, as Muster's do.
        let rows = try await connection.query(
            """
            with drawn as materialized (
                select n, 'bench-' || lpad(n::text, 9, '0') as device_id,
                       now() - interval '30 days' * ((\(total)::bigint - n)::float8 / \(total)::bigint) as at
                from generate_series(\(numbers.lowerBound)::bigint, \(numbers.upperBound)::bigint) as n
            ), hashed as materialized (
                select device_id, at, sha256(convert_to(\(fleet)::bigint || '/' || device_id, 'UTF8')) as key_sha256,
                       sha256(convert_to('credential ' || \(fleet)::bigint || '/'
                           || case when \(isClaim) then n / \(Self.claimDevices)::bigint else n end, 'UTF8'))
                           as credential_sha256
                from drawn
            ), draft as materialized (
                select *, '\\x4d'::bytea || substring(int8send((extract(epoch from at) * 1000)::bigint) from 3)
                       || substring(key_sha256 from 1 for 13) as serial
                from hashed
            ), made as (
                insert into devices (fleet_id, device_id, first_enrolled_at, enrolled_at, current_issuer_id,
                                     current_serial, current_key_sha256, idevid_anchor_id, first_anchor_id,
                                     first_credential_sha256, current_not_after)
                select \(fleet), device_id, at, at, \(issuer), serial, key_sha256,
                       case when not \(isClaim) then \(anchor)::bigint end, \(anchor)::bigint, credential_sha256,
                       at + interval '90 days'
                from draft
                on conflict (fleet_id, device_id) do nothing
                returning device_id
            ), whole as materialized (
                select d.* from draft d join made using (device_id) where \(certificates)
            ), bound as (
                insert into device_keys (key_sha256, fleet_id, device_id, bound_at)
                select key_sha256, \(fleet), device_id, at from whole
                returning 1
            ), certified as (
                insert into certificates (issuer_id, serial, fleet_id, device_id, key_sha256, not_before, not_after,
                                          issued_at, der)
                select \(issuer), serial, \(fleet), device_id, key_sha256, at, at + interval '90 days', at,
                       '\\x3003020101'::bytea
                from whole
                returning 1
            ), tried as (
                insert into attempts (at, request_id, fleet_id, device_id, operation, source, credential_kind,
                                      credential_sha256, anchor_id, key_sha256, stage, rule, outcome, issuer_id, serial)
                select at, gen_random_uuid(), \(fleet), device_id, 'simpleenroll', '127.0.0.1',
                       case when \(isClaim) then 'claim' else 'idevid' end, credential_sha256, \(anchor)::bigint,
                       key_sha256, 'issue', 'open', 'issued', \(issuer), serial
                from whole
                returning 1
            )
            select (select count(*) from made),
                   (select count(*) from made) + (select count(*) from bound) + (select count(*) from certified)
                       + (select count(*) from tried)
            """
        )
        guard let row = rows.first else { throw SimulatorError.database("the database gave no counts") }
        var columns = row.columns
        return try Rows(devices: Int(columns.next(Int64.self)), all: Int(columns.next(Int64.self)))
    }
}
