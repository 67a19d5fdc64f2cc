import ArgumentParser
import Postgres
import Schema
import TestPeers
import Testing

@testable import fleetsim

/// `muster-sim seed` on a real PostgreSQL, as the role that serves.
@Suite struct `A seeded fleet` {
    /// Lends a migrated database with the fleet bench-1: the superuser's connection, and the URI of muster_server.
    private func withDatabase(
        _ body: @Sendable (_ connection: PostgresConnection, _ server: String) async throws -> Void
    ) async throws {
        try await PostgreSQLCluster.shared.withDatabase { uri in
            let connection = try await PostgresConnection.connect(PostgresConfiguration(connectionString: uri))
            defer { connection.close() }
            try await connection.run(script: Schema.roles)
            for step in Schema.steps { try await connection.run(script: step.sql) }
            try await connection.run(
                script: """
                    insert into issuers (name, certificate, chain) values ('ca', '\\x3000', array['\\x3000'::bytea]);
                    insert into fleets (name, issuer_id, policy, profile) select 'bench-1', id, 'open', '{}' from issuers;
                    insert into anchors (fleet_id, name, certificate, device_id_rule)
                    select id, 'claims', '\\x3000', 'request-common-name' from fleets
                    """
            )
            try await body(connection, uri.replacing("//postgres@", with: "//muster_server@"))
        }
    }

    private func count(_ query: PostgresQuery, _ connection: PostgresConnection) async throws -> Int64 {
        let rows = try await connection.query(query)
        return try #require(try rows.first?.decode(at: 0, as: Int64.self))
    }

    @Test func `has its devices once, however often it is seeded`() async throws {
        try await withDatabase { connection, server in
            for devices in ["250", "250", "300"] {
                try await SeedCommand.parse(["--database", server, "--fleet", "bench-1", "--devices", devices]).run()
            }
            #expect(try await count("select count(*) from devices", connection) == 300)
            #expect(try await count("select count(*) from certificates", connection) == 0)
            #expect(try await count("select count(distinct current_serial) from devices", connection) == 300)
        }
    }

    @Test func `has certificates, keys and attempts that belong to its devices if they are asked for`() async throws {
        try await withDatabase { connection, server in
            let arguments = ["--database", server, "--fleet", "bench-1", "--devices", "1200", "--certificates"]
            try await SeedCommand.parse(arguments).run()
            let whole = try await count(
                """
                select count(*) from devices d
                join certificates c on c.issuer_id = d.current_issuer_id and c.serial = d.current_serial
                    and c.fleet_id = d.fleet_id and c.device_id = d.device_id and c.not_after = d.current_not_after
                join device_keys k on k.key_sha256 = d.current_key_sha256 and k.device_id = d.device_id
                join attempts a on a.device_id = d.device_id and a.serial = d.current_serial and a.outcome = 'issued'
                where d.first_anchor_id is not null and d.first_enrolled_at <= now()
                """,
                connection
            )
            #expect(whole == 1200)
            // A claim is shared by a thousand devices.
            let credentials: PostgresQuery = "select count(distinct first_credential_sha256) from devices"
            #expect(try await count(credentials, connection) == 2)
        }
    }

    @Test func `must be there before it is filled`() async throws {
        try await withDatabase { _, server in
            let command = try SeedCommand.parse(["--database", server, "--fleet", "bench-2", "--devices", "1"])
            let error = await #expect(throws: SimulatorError.self) { try await command.run() }
            #expect(error?.description.contains("there is no fleet bench-2") == true)
        }
    }
}
