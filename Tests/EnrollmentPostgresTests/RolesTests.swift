import EnrollmentPostgres
import Foundation
import Postgres
import Schema
import TestKit
import TestPeers
import Testing

struct RolesTests {
    @Test func `the server sees that the schema is current, and may look at every table`() async throws {
        try await RecordDatabase.with { database in
            #expect(try await SchemaGuard.status(database.server) == .current(version: Schema.steps.last?.number ?? 0))
            #expect(try await database.server.query("select count(*) from registrations")[0].decode(as: Int64.self) == 0)
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

    @Test(arguments: [
        "create table t (x int)", "drop table devices", "alter table devices add x int", "truncate attempts",
        "delete from certificates", "delete from devices", "delete from attempts", "delete from outbox",
        "update certificates set der = ''", "update outbox set payload = ''", "update issuers set certificate = ''",
        "update attempts set outcome = 'issued'", "delete from trust_stores", "update trust_stores set message = ''",
        "create role intruder", "select pg_read_file('/etc/passwd')", "set role muster_owner",
        "drop function create_attempt_partitions(integer)",
    ])
    func `the server may not`(_ script: String) async throws {
        try await RecordDatabase.with { database in
            let error = await #expect(throws: PostgresError.self) {
                try await database.server.withConnection { try await $0.run(script: script) }
            }
            #expect(error?.sqlState == "42501")
        }
    }

    @Test func `making the roles again changes nothing`() async throws {
        try await RecordDatabase.with { _ in
            let cluster = try await PostgreSQLCluster.shared.server()
            try await cluster.run(sql: Schema.roles)
            let rows = try await cluster.run(
                sql: "select rolname, rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname ~ '^muster' order by 1"
            )
            #expect(rows == "muster_owner|f|f|f\nmuster_server|f|f|f")
        }
    }
}
