import Foundation
import Postgres
import Testing

/// Measures, and asserts only that it works; runs when MUSTER_MEASURE is set.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["MUSTER_MEASURE"] != nil), .serialized)
struct `Speed` {
    @Test func `selects and grouped inserts a second`() async throws {
        let cluster = try await ThrowawayCluster.start()
        let connection = try await cluster.connect()
        try await connection.run(
            script: """
                create table fleets (id int8 primary key, name text unique, created_at timestamptz default now());
                insert into fleets select n, 'fleet-' || n from generate_series(1, 1000) n;
                create table certificates (serial bytea primary key, fleet_id int8, device text, at timestamptz, der bytea);
                """
        )
        for (name, configuration) in [("socket", cluster.socketConnectionString), ("tcp", cluster.tcpConnectionString)]
        {
            let connection = try await PostgresConnection.connect(
                PostgresConfiguration(connectionString: configuration)
            )
            try await measure("select, one connection, \(name)", count: 20_000) { number in
                let rows = try await connection.query(
                    "select id, name, created_at from fleets where name = \("fleet-\(number % 1000 + 1)")"
                )
                var columns = rows[0].columns
                _ = try columns.next(Int64.self)
                _ = try columns.next(String.self)
                _ = try columns.next(PostgresTimestamp.self)
            }
        }
        let pool = cluster.pool(connectionsMax: 8)
        try await measure("select, pool of 8, 1 caller", count: 20_000) { number in
            try await pool.query("select id from fleets where name = \("fleet-\(number % 1000 + 1)")")
        }
        let started = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<32 {
                group.addTask {
                    for number in 0..<1000 {
                        try await pool.query(
                            "select id from fleets where name = \("fleet-\((caller + number) % 1000)")"
                        )
                    }
                }
            }
            try await group.waitForAll()
        }
        report("select, pool of 8, 32 callers", count: 32_000, ContinuousClock.now - started)

        let group = 64
        let der = [UInt8](repeating: 0x30, count: 700)
        let start = ContinuousClock.now
        for round in 0..<300 {
            let serials = (0..<group).map { index in withBytes(of: UInt64(round * group + index)) }
            let now = PostgresTimestamp(Date())
            try await connection.pipeline([
                "BEGIN",
                """
                insert into certificates (serial, fleet_id, device, at, der)
                select * from unnest(\(serials), \([Int64](repeating: 1, count: group)),
                    \((0..<group).map { "device-\($0)" }), \([PostgresTimestamp](repeating: now, count: group)),
                    \([[UInt8]](repeating: der, count: group)))
                """,
                "COMMIT",
            ])
        }
        report(
            "rows inserted by arrays of \(group), one round trip each",
            count: 300 * group,
            ContinuousClock.now - start
        )
        #expect(try await connection.query("select count(*) from certificates")[0].decode(as: Int.self) == 300 * group)
    }

    private func measure(_ what: String, count: Int, _ body: (Int) async throws -> Void) async throws {
        let started = ContinuousClock.now
        for number in 0..<count { try await body(number) }
        report(what, count: count, ContinuousClock.now - started)
    }

    private func report(_ what: String, count: Int, _ duration: Duration) {
        print("MEASURED \(what): \(Int(Double(count) / (duration / .seconds(1)))) a second")
    }

    private func withBytes(of number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }
}
