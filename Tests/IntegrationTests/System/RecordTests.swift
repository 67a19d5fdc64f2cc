import TestPeers
import Testing

extension SystemTests {
    /// What the record holds, and what the server's role may do to it.
    @Suite struct RecordTests {
        @Test func `each certificate stands there as it was issued, byte for byte`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            for _ in 0..<3 {
                let device = try await SystemDevice(document).enrolled()
                let recorded = try await RecordProbe(document)
                    .query("select encode(der, 'hex') from certificates where device_id = '\(device.id)'")
                #expect(try await recorded == device.certificateHex())
            }
        }

        @Test func `the same request again yields the same certificate, and one row`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let device = try await SystemDevice(document)
            let first = try await device.enroll()
            let second = try await device.enroll()
            #expect(first.status == 200)
            #expect(first.body == second.body)
            let rows = try await RecordProbe(document)
                .query("select count(*) from certificates where device_id = '\(device.id)'")
            #expect(rows == "1")
            let outcomes = try await RecordProbe(document)
                .query("select outcome from attempts where device_id = '\(device.id)' order by at, id")
            #expect(outcomes == "issued\nrepeated")
        }

        @Test func `the server's role owns nothing and can drop nothing`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let record = RecordProbe(document)
            let owned = try await record.query(
                """
                select count(*) from pg_shdepend where deptype = 'o' and refobjid = 'muster_server'::regrole;
                select count(*) from pg_roles where rolname = 'muster_server'
                    and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls);
                select count(*) from pg_auth_members where member = 'muster_server'::regrole;
                select has_schema_privilege('muster_server', 'public', 'create')
                """
            )
            #expect(owned == "0\n0\n0\nf")
            let tables = try await Self.tables(record)
            #expect(tables.count >= 20)
            let tries = tables.flatMap {
                [
                    "drop table \($0)", "truncate \($0)", "alter table \($0) add column x int",
                    "create index on \($0) ((1))",
                ]
            }
            try await Self.expectAllRefused(tries, record)
        }

        @Test func `the server's role can delete what is meant to go, and nothing else`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let record = RecordProbe(document)
            let deletable = try await record.query(
                """
                select c.relname from pg_class c
                where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
                    and has_table_privilege('muster_server', c.oid, 'delete') order by 1
                """
            )
            let meant = [
                "approvals", "bootstrap_minutes", "crl_changes", "crl_signings", "fleet_issuers", "idempotency_keys",
                "registrations", "revocation_minutes", "revocation_requests", "revocations", "webhook_events",
            ]
            #expect(deletable.split(separator: "\n").map(String.init) == meant)
            let named = deletable.split(separator: "\n").map { "public.\($0)" }
            let tables = try await Self.tables(record)
                .filter { !named.contains($0) }
            try await Self.expectAllRefused(tables.map { "delete from \($0)" }, record)
        }

        @Test func `the server's role cannot change what happened`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            try await Self.expectAllRefused(
                [
                    "update audit set detail = 'x'", "update audit set hash = hash", "delete from audit",
                    "truncate audit", "update attempts set outcome = 'issued'", "update certificates set der = der",
                    "update certificates set device_id = 'x'", "update trust_stores set message = message",
                    "update outbox set payload = payload", "update issuers set certificate = certificate",
                    "insert into schema_migrations (number, name, sha256) values (99, 'x', '')",
                    "update schema_migrations set number = 7", "set role muster_owner", "set role postgres",
                    "insert into audit_head (singleton, seq, hash) values (false, 1, '')", "delete from audit_head",
                ],
                RecordProbe(document)
            )
        }

        @Test func `attempts have partitions for the coming months, and certificates are spread`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            try await SystemDevice(document).enrolled()
            let record = RecordProbe(document)
            let months = try await record.query(
                """
                select count(*) from generate_series(0, 3) as ahead
                where to_regclass('attempts_'
                    || to_char(now() at time zone 'UTC' + make_interval(months => ahead), 'YYYY_MM')) is not null;
                select count(*) from attempts_default;
                select count(*) from pg_inherits where inhparent = 'certificates'::regclass
                """
            )
            #expect(months == "4\n0\n8")
        }

        private static func tables(_ record: RecordProbe) async throws -> [String] {
            try await record.query(
                """
                select format('%I.%I', n.nspname, c.relname)
                from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = 'public' and c.relkind in ('r', 'p')
                """
            ).split(separator: "\n").map(String.init)
        }

        private static func expectAllRefused(_ statements: [String], _ record: RecordProbe) async throws {
            let result = try await record.asServer(statements.map { "begin; \($0); rollback;\n" }.joined())
            let refusals = result.errorOutput.split(separator: "\n").filter { $0.contains("ERROR:") }
            #expect(refusals.count == statements.count, "\(result.errorOutput)")
            let reasons = ["permission denied", "must be owner"]
            #expect(refusals.allSatisfy { line in reasons.contains { line.contains($0) } }, "\(result.errorOutput)")
        }
    }
}
