import Postgres
import Schema
import TestPeers
import Testing

@testable import fleetsim

/// The proof that nothing was issued twice, on a real PostgreSQL.
@Suite struct `The proof of keys` {
    @Test func `counts the unrevoked certificates of each DeviceID and key, of the run's devices only`() async throws {
        try await PostgreSQLCluster.shared.withDatabase { uri in
            let connection = try await PostgresConnection.connect(PostgresConfiguration(connectionString: uri))
            defer { connection.close() }
            try await connection.run(script: Schema.roles)
            for step in Schema.steps { try await connection.run(script: step.sql) }
            try await connection.run(
                script: """
                    insert into issuers (name, certificate, chain) values ('ca', '\\x3000', array['\\x3000'::bytea]);
                    insert into fleets (name, issuer_id, policy, profile)
                    select f.name, issuers.id, 'open', '{}' from issuers, (values ('lab'), ('other')) as f (name);
                    insert into certificates (issuer_id, serial, fleet_id, device_id, key_sha256, not_before, not_after,
                                              issued_at, status, der)
                    select f.issuer_id, decode(lpad(serial::text, 16, '0'), 'hex'), f.id, device,
                           sha256(convert_to(key, 'UTF8')), now(), now(), now(), status, '\\x3000'
                    from (values (1, 'lab', 'a', 'k1', 'valid'), (2, 'lab', 'b', 'k2', 'superseded'),
                                 (3, 'lab', 'b', 'k3', 'valid'), (4, 'lab', 'c', 'k4', 'revoked'),
                                 (5, 'lab', 'c', 'k4', 'valid'), (6, 'lab', 'd', 'k5', 'superseded'),
                                 (7, 'lab', 'd', 'k5', 'valid'), (8, 'other', 'a', 'k1', 'valid'))
                        as c (serial, fleet, device, key, status) join fleets f on f.name = c.fleet
                    """
            )
            let server = uri.replacing("//postgres@", with: "//muster_server@")
            let whole = await KeyProof.check(["a", "b", "c", "none"], fleet: "lab", database: server)
            #expect(whole == KeyProof.Finding(keys: 4, certificatesMost: 1, repeated: 0))
            let twice = await KeyProof.check(["a", "d"], fleet: "lab", database: server)
            #expect(twice == KeyProof.Finding(keys: 2, certificatesMost: 2, repeated: 1))
        }
    }

    @Test func `tells why it could not be looked at`() async {
        let finding = await KeyProof.check(["a"], fleet: "lab", database: "postgresql://x@127.0.0.1:1/x")
        #expect(finding.problem != nil && finding.certificatesMost == 0)
    }
}
