import Enrollment
import EnrollmentPostgres
import Foundation
import Postgres
import Schema
import TestKit
import Testing

struct RolesTests {
    @Test func `the server sees that the schema is current, and may look at every table`() async throws {
        try await RecordDatabase.with { database in
            let status = try await SchemaGuard.status(database.server)
            #expect(status == .current)
            let rows = try await database.server.query("select count(*) from registrations")
            let registrations: Int64 = try rows[0].decode()
            #expect(registrations == 0)
        }
    }

    @Test func `the server makes the coming months' partitions though it owns none`() async throws {
        try await RecordDatabase.with { database in
            try await database.owner.withConnection { connection in
                try await connection.run(
                    script: """
                        do $$ begin
                            execute 'drop table attempts_' || to_char(now() at time zone 'UTC' + interval '2 months',
                                                                      'YYYY_MM');
                        end $$
                        """
                )
            }
            #expect(try await SchemaGuard.makeAttemptPartitions(database.server) == 1)
            #expect(try await SchemaGuard.makeAttemptPartitions(database.server) == 0)
        }
    }

    @Test func `the server drops whole months of attempts that are old enough, and nothing else`() async throws {
        try await RecordDatabase.with { database in
            let months: PostgresQuery = """
                select right(c.relname, 7)
                from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'attempts'::regclass
                """
            func names() async throws -> Set<String> {
                Set(try await database.owner.query(months).map { try $0.decode(as: String.self) })
            }
            let before = try await names()
            // As if the database had been made five months ago.
            try await database.owner.withConnection { connection in
                try await connection.run(
                    script: """
                        do $$ declare starts timestamptz; begin
                            for month in 1..5 loop
                                starts := (date_trunc('month', now() at time zone 'UTC') - make_interval(months => month))
                                    at time zone 'UTC';
                                execute format('create table %I partition of attempts for values from (%L) to (%L)',
                                    'attempts_' || to_char(starts at time zone 'UTC', 'YYYY_MM'), starts,
                                    starts + interval '1 month');
                            end loop;
                        end $$
                        """
                )
            }
            #expect(try await names().count == before.count + 5)
            #expect(try await SchemaGuard.dropAttempts(database.server, keptMonths: 3) == 2)
            #expect(try await SchemaGuard.dropAttempts(database.server, keptMonths: 3) == 0)
            #expect(try await SchemaGuard.dropAttempts(database.server, keptMonths: 1) == 2)
            let kept = try await names()
            #expect(kept.isSuperset(of: before) && kept.count == before.count + 1)
            for months in [0, 1201] {
                await #expect(throws: RecordError.self) {
                    try await SchemaGuard.dropAttempts(database.server, keptMonths: months)
                }
            }
        }
    }

    private static let forbidden = [
        "create table t (x int)", "drop table devices", "alter table devices add x int", "truncate attempts",
        "delete from certificates", "delete from devices", "delete from attempts", "delete from outbox",
        "update certificates set der = ''", "update outbox set payload = ''", "update issuers set certificate = ''",
        "update attempts set outcome = 'issued'", "delete from trust_stores", "update trust_stores set message = ''",
        "create role intruder", "select pg_read_file('/etc/passwd')", "set role muster_owner",
        "drop function create_attempt_partitions(integer)",
        "delete from anchors", "delete from fleets", "delete from operators",
        "delete from operator_certificates", "delete from bootstrap_credentials", "delete from anchor_usage",
        "delete from audit", "delete from device_keys", "delete from trust_stores",
        "update approvals set key_sha256 = ''", "update approvals set device_id = 'meter-1'",
        "update operators set name = 'eve'", "update operators set created_by = 'eve'",
        "update operator_certificates set sha256 = ''", "update operator_certificates set operator = 'eve'",
        "update operator_certificates set not_after = now()", "update bootstrap_credentials set sha256 = ''",
        "update bootstrap_minutes set minute = now()", "update anchor_usage set anchor_id = 1",
        "update registrations set device_id = 'meter-1'", "update registrations set created_at = now()",
        "update idempotency_keys set actor = 'eve'",
        "update revocations set revoked_at = now()", "update revocations set serial = ''",
        "update device_keys set key_sha256 = ''", "update device_keys set device_id = 'meter-1'",
        "update revocation_requests set requested_by = 'eve'", "update revocation_requests set reason = 'superseded'",
        "update revocation_request_devices set device_id = 'meter-1'", "delete from revocation_request_devices",
        "update revocation_minutes set actor = 'eve'",
        "delete from webhooks", "update webhooks set name = 'other'", "update webhook_events set body = ''",
        "update webhook_events set message = gen_random_uuid()", "update webhook_events set webhook = 'other'",
        "delete from ocsp_clock", "insert into ocsp_clock (latest) values (now())",
    ]

    @Test func `the server may do nothing that it need not do`() async throws {
        try await RecordDatabase.with { database in
            for script in Self.forbidden {
                let error = await #expect(throws: PostgresError.self, "\(script)") {
                    try await database.server.withConnection { try await $0.run(script: script) }
                }
                #expect(error?.sqlState == "42501", "\(script)")
            }
        }
    }

    @Test func `making the roles again changes nothing`() async throws {
        try await RecordDatabase.with { database in
            try await database.superuser.withConnection { try await $0.run(script: Schema.roles) }
            let unprivileged = try await database.number(
                """
                select count(*) from pg_roles where rolname in ('muster_owner', 'muster_server')
                    and not (rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls)
                """
            )
            #expect(unprivileged == 2)
        }
    }
}
