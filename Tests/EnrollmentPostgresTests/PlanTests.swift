import Crypto
import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

/// No question that is asked often may read a big table from end to end: PostgreSQL's own counts of such reads say
/// whether one did.
struct PlanTests {
    /// Rows in each of the big tables: so many that a plan which reads them all would not be chosen for being short.
    private static let rows: Int64 = 60_000

    @Test func `among many rows everything is found by an index`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet(policy: .approval)
            try await database.create(world)
            try await fill(database)
            try await database.owner.withConnection { try await $0.run(script: "analyze", timeout: .seconds(60)) }
            let before = try await reads(database, of: "seq_scan")
            let used = try await reads(database, of: "idx_scan")
            // A server's counts come in when its connections end.
            let replica = database.replica()
            try await ask(everythingOf: replica, world)
            try await present(certificatesOf: replica, database)
            replica.close()
            try await eventually {
                try await reads(database, of: "idx_scan").values.reduce(0, +) > used.values.reduce(0, +) + 500
            }
            let after = try await reads(database, of: "seq_scan")
            for (table, count) in after { #expect(count == before[table], "\(table) was read from end to end") }
        }
    }

    @Test func `what was planned on an empty record is planned anew when a fleet has come`() async throws {
        // Often enough that a connection keeps a plan without values.
        let questions: Int64 = 60
        try await RecordDatabase.with { database in
            let world = try TestFleet(policy: .open)
            try await database.create(world)
            let replica = database.replica()
            let commits = CommitGroup(pool: replica, logger: .quiet)
            let record = PostgresEnrollmentRecord(pool: replica, commits: commits)
            let draft = try EntryDraft(world)
            for _ in 0..<questions { _ = try await record.situation(of: draft.question) }
            try await fill(database)
            try await eventually { try await SchemaGuard.refreshStatistics(database.server) > 0 }
            #expect(try await SchemaGuard.refreshStatistics(database.server) == 0)
            for _ in 0..<questions { _ = try await record.situation(of: draft.question) }
            // A server's counts come in when its connections end.
            replica.close()
            try await eventually { try await scans(database)["devices_pkey", default: 0] >= questions }
            for (index, count) in try await scans(database) where index != "devices_pkey" {
                #expect(count <= questions, "devices are looked for in \(index)")
            }
        }
    }

    @Test func `a look at a table that enrollments add to is short, in every column and every partition`() async throws
    {
        try await RecordDatabase.with { database in
            // Two months more than there are.
            let made = try await database.server.query("select create_attempt_partitions(5)")
            #expect(try made.first?.decode(at: 0, as: Int32.self) == 2)
            let rows = try await database.owner.query(
                """
                select c.relname || '.' || a.attname
                from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                where c.relkind in ('r', 'p') and c.relname ~ '^(devices|device_keys|certificates.*|attempts.*|audit)$'
                    and coalesce(a.attstattarget, -1) not between 0 and 10
                """
            )
            #expect(try rows.map { try $0.decode(at: 0, as: String.self) } == [])
        }
    }

    /// How often a device was looked for in each index that has its name; that of credentials has other uses.
    private func scans(_ database: RecordDatabase) async throws -> [String: Int64] {
        let rows = try await database.owner.query(
            """
            select indexrelname, idx_scan from pg_stat_user_indexes
            where relname = 'devices' and indexrelname <> 'devices_credential'
            """
        )
        return try rows.reduce(into: [:]) { counts, row in
            counts[try row.decode(at: 0, as: String.self)] = try row.decode(at: 1, as: Int64.self)
        }
    }

    private func reads(_ database: RecordDatabase, of kind: String) async throws -> [String: Int64] {
        let rows = try await database.owner.query(
            """
            select relname, \(unescaped: kind) from pg_stat_user_tables
            where relname ~ '^(devices|device_keys|certificates_.|attempts_.*|registrations|approvals|audit|bootstrap_credentials)$' and n_live_tup > 0
            """
        )
        return try rows.reduce(into: [:]) { counts, row in
            counts[try row.decode(at: 0, as: String.self)] = try row.decode(at: 1, as: Int64.self)
        }
    }

    /// Each question often enough that a plan without values is considered too.
    private func ask(everythingOf pool: PostgresPool, _ world: TestFleet) async throws {
        let commits = CommitGroup(pool: pool, logger: .quiet)
        let record = PostgresEnrollmentRecord(pool: pool, commits: commits)
        let devices = PostgresDeviceRegister(pool: pool)
        let registrations = PostgresRegistrationRegister(pool: pool)
        let approvals = PostgresApprovalRegister(pool: pool)
        let credentials = PostgresBootstrapRegister(pool: pool)
        let attempts = PostgresAttemptLog(pool: pool)
        let log = PostgresAuditLog(pool: pool)
        let fleet = world.fleet.id
        let revocations = PostgresRevocationRegister(pool: pool)
        let hash = [UInt8](repeating: 7, count: 32)
        let middle = TestClock.start.addingTimeInterval(Double(Self.rows / 2))
        let committing = Task { try await commits.run() }
        defer { committing.cancel() }
        for round in 0..<8 {
            let draft = try EntryDraft(world, device: "meter-\(round)")
            _ = try await record.situation(of: draft.bootstrapQuestion())
            _ = try await record.situation(of: draft.question)
            // Of a device that is known, since the log's entries from the tenth on are taken.
            for limits in [BootstrapLimits(), BootstrapLimits(devicesMax: 1_000)] {
                var foreseen = try EntryDraft(world, device: "meter-\(round + 1)").byIDevID(anchorLimits: limits)
                foreseen.isForeseen = true
                #expect(try await record.commit(foreseen.issuing()) == .lostRace)
            }
            let device = try world.names("meter-\(round)").device
            let position = DevicePosition(time: middle, device: "meter-5")
            let selections: [DeviceSelection] = [
                .named(prefix: "meter-1"), .enrolled(from: nil, until: nil), .expiring(from: middle, until: nil),
                .credential(hash), .key(hash), .serialNumber(hash),
            ]
            for selection in selections {
                _ = try await devices.devices(of: fleet, selection, after: nil, limit: 50)
                _ = try await devices.devices(of: fleet, selection, after: position, limit: 50)
            }
            // Few, since the log's entries from the tenth on are taken.
            for change in [StandingChange.revoke(.certificateHold, comment: nil), .release(comment: nil)]
            where round < 3 {
                _ = try await revocations.change(device, of: fleet, change, actor: "ada", at: middle)
            }
            _ = try await devices.device(device, of: fleet)
            _ = try await devices.certificates(of: device, fleet: fleet, limit: 10)
            _ = try await registrations.registrations(of: fleet, prefix: "meter-1", after: "meter-15", limit: 50)
            _ = try await registrations.registration(device, of: fleet)
            for state in [nil, ApprovalState.pending, .approved, .rejected] {
                _ = try await approvals.approvals(of: fleet, state: state, after: 100, limit: 50)
            }
            for selection in CredentialSelection.allCases {
                _ = try await credentials.credentials(of: fleet, selection, after: hash, limit: 50)
            }
            _ = try await log.entries(subject: "meter-7@meters", before: nil, limit: 50)
            _ = try await log.entries(subject: nil, before: 1_000, limit: 50)
            for query in Self.queries(fleet, hash) {
                _ = try await attempts.attempts(query, after: nil, limit: 50)
                _ = try await attempts.attempts(query, after: AttemptPosition(at: middle, id: 1), limit: 50)
            }
            _ = try await attempts.attempt(UUID())
            _ = try await RecordGauges(pool: pool).expiring(
                withinDays: 1,
                at: TestClock.start.addingTimeInterval(-.day * 2)
            )
        }
    }

    /// A gateway's questions, in groups.
    private func present(certificatesOf pool: PostgresPool, _ database: RecordDatabase) async throws {
        let presented = PostgresPresentedCertificates(
            pool: pool,
            changes: RecordChanges(database.serverConfiguration, logger: .quiet),
            logger: .quiet
        )
        let running = Task { try await presented.run() }
        defer { running.cancel() }
        let serialNumber = [UInt8](SHA256.hash(data: Array("100".utf8)).prefix(20))
        for _ in 0..<8 {
            async let first = presented.certificate([], serialNumber: serialNumber)
            async let second = presented.certificate([], serialNumber: serialNumber)
            let found = try await [first, second]
            #expect(found.map(\.?.device.text) == ["meter-100", "meter-100"])
        }
    }

    private static func queries(_ fleet: FleetID, _ hash: [UInt8]) -> [AttemptQuery] {
        let changes: [(inout AttemptQuery) -> Void] = [
            { _ in },
            { $0.fleet = fleet },
            { $0.device = "meter-7" },
            { $0.reason = .anchorBlocked },
            { $0.credentialSHA256 = hash },
            {
                $0.fleet = fleet; $0.outcome = .refused
            },
            {
                $0.fleet = fleet; $0.device = "meter-7"; $0.from = TestClock.start
            },
        ]
        return changes.map { change in
            var query = AttemptQuery()
            change(&query)
            return query
        }
    }

    private func fill(_ database: RecordDatabase) async throws {
        let rows = Self.rows
        let start = TestClock.start
        // As a superuser, who may leave out the checks of references: they are most of the work.
        try await database.superuser.pipeline(
            [
                "begin",
                "set local session_replication_role = replica",
                """
                insert into devices (fleet_id, device_id, first_enrolled_at, enrolled_at, current_issuer_id,
                                     current_serial, current_key_sha256, current_not_after, first_anchor_id,
                                     first_credential_sha256)
                select 1, 'meter-' || n, \(start) + make_interval(secs => n), \(start), 1,
                       substr(sha256(n::text::bytea), 1, 20), sha256(n::text::bytea), \(start) + make_interval(secs => n), 1,
                       sha256(n::text::bytea)
                from generate_series(1, \(rows)) n
                """,
                """
                insert into certificates (issuer_id, serial, fleet_id, device_id, key_sha256, not_before, not_after,
                                          issued_at, der)
                select 1, substr(sha256(n::text::bytea), 1, 20), 1, 'meter-' || n, sha256(n::text::bytea), \(start),
                       \(start), \(start), ''
                from generate_series(1, \(rows)) n
                """,
                """
                insert into device_keys (key_sha256, fleet_id, device_id, bound_at)
                select sha256(n::text::bytea), 1, 'meter-' || n, \(start) from generate_series(1, \(rows)) n
                """,
                """
                insert into registrations (fleet_id, device_id)
                select 1, 'meter-' || n from generate_series(1, \(rows)) n
                """,
                """
                insert into approvals (fleet_id, device_id, key_sha256, kind, credential_sha256, source, requested_at,
                                       state, decided_at)
                select 1, 'meter-' || n, sha256(n::text::bytea), 'first', '', '', \(start),
                       case when n % 100 = 0 then 'pending' else 'approved' end,
                       case when n % 100 = 0 then null else \(start) end
                from generate_series(1, \(rows)) n
                """,
                """
                insert into bootstrap_credentials (fleet_id, sha256, marked_at)
                select 1, sha256(n::text::bytea), case when n % 1000 = 0 then \(start) end
                from generate_series(1, \(rows)) n
                """,
                """
                insert into audit (seq, at, actor, action, subject, detail, hash)
                select n, \(start), '', '', 'meter-' || n || '@meters', '', sha256('')
                from generate_series(10, \(rows)) n
                """,
                """
                insert into attempts (at, request_id, fleet_id, device_id, operation, source, stage, rule, outcome)
                select \(start) + make_interval(secs => n), gen_random_uuid(), 1, 'meter-' || n % 1000, 'simpleenroll',
                       '', '', '', case when n % 100 = 0 then 'refused' else 'issued' end
                from generate_series(1, \(rows)) n
                """,
                "commit",
            ],
            timeout: .seconds(60)
        )
    }
}
