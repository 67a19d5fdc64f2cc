import Postgres
import Synchronization
import Testing

/// Counts what is held at once, and the most that ever was.
private final class Gauge: Sendable {
    private let held = Atomic<Int>(0)
    let most = Atomic<Int>(0)

    func rise() { most.max(held.wrappingAdd(1, ordering: .relaxed).newValue, ordering: .relaxed) }
    func fall() { held.wrappingSubtract(1, ordering: .relaxed) }
}

@Suite struct `A pool` {
    @Test func `never lends more connections than its bound`() async throws {
        let pool = try await ThrowawayCluster.shared().pool(connectionsMax: 3)
        let gauge = Gauge()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<30 {
                group.addTask {
                    try await pool.withConnection { connection in
                        gauge.rise()
                        // Until all are lent: the first could serve everybody before the others are open.
                        try await eventually { gauge.most.load(ordering: .relaxed) >= 3 }
                        try await connection.query("select pg_sleep(0.005)")
                        gauge.fall()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(gauge.most.load(ordering: .relaxed) == 3)
        #expect(pool.statistics.inUse == 0)
        #expect(pool.statistics.idle == 3)
        #expect(pool.statistics.waiting == 0)
    }

    @Test func `refuses callers beyond its queue at once, and the others at their deadline`() async throws {
        let pool = try await ThrowawayCluster.shared().pool(
            connectionsMax: 1,
            waitingMax: 2,
            acquireTimeout: .seconds(12)
        )
        try await pool.withConnection { _ in
            async let first = postgresError { try await pool.query("select 1") }
            async let second = postgresError { try await pool.query("select 1") }
            try await eventually { pool.statistics.waiting == 2 }
            let started = ContinuousClock.now
            let third = try await postgresError { try await pool.query("select 1") }
            #expect(third.isUnavailable)
            #expect(ContinuousClock.now - started < .seconds(8), "it waited for the deadline")
            #expect(try await first.isUnavailable)
            #expect(try await second.isUnavailable)
        }
        #expect(try await pool.query("select 1")[0].decode(as: Int.self) == 1)
    }

    @Test func `lets a cancelled caller go`() async throws {
        let pool = try await ThrowawayCluster.shared().pool(connectionsMax: 1)
        try await pool.withConnection { _ in
            let task = Task { try await pool.query("select 1") }
            try await eventually { pool.statistics.waiting == 1 }
            task.cancel()
            #expect(try await postgresError { _ = try await task.value }.isCancelled)
            #expect(pool.statistics.waiting == 0)
        }
    }

    @Test func `rolls back what a borrower left open`() async throws {
        let pool = try await ThrowawayCluster.shared().pool(connectionsMax: 1)
        let process = try await pool.withConnection { connection in
            try await connection.query("BEGIN")
            try await connection.query("create temporary table left_open ()")
            return connection.serverProcess
        }
        try await pool.withConnection { connection in
            #expect(connection.serverProcess == process)
            #expect(!connection.isInTransaction)
            let rows = try await connection.query("select to_regclass('left_open') is null")
            #expect(try rows[0].decode(as: Bool.self))
        }
    }

    @Test func `discards a connection whose call was late, and goes on with another`() async throws {
        let pool = try await ThrowawayCluster.shared().pool(connectionsMax: 1)
        let error = try await postgresError { try await pool.query("select pg_sleep(60)", timeout: .milliseconds(50)) }
        #expect(error.isTimedOut)
        #expect(try await pool.query("select 1")[0].decode(as: Int.self) == 1)
    }

    @Test(arguments: ["fast", "immediate"])
    func `is unavailable while the server is away and recovers by itself`(mode: String) async throws {
        let cluster = try await ThrowawayCluster.start()
        let pool = cluster.pool(acquireTimeout: .seconds(8))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            try await pool.query("create table t (n int8)")
            async let inFlight = postgresError { try await pool.query("select pg_sleep(60)") }
            try await eventually { pool.statistics.inUse == 1 }
            try await cluster.stop(mode: mode)
            #expect(try await inFlight.isUnavailable)

            // However long it is away, callers learn it soon.
            for _ in 0..<5 {
                let started = ContinuousClock.now
                #expect(try await postgresError { try await pool.query("select 1") }.isUnavailable)
                #expect(ContinuousClock.now - started < .seconds(20))
            }
            try await cluster.start()
            try await eventually { (try? await pool.query("insert into t values (\(1))")) != nil }
            #expect(try await pool.query("select count(*) from t")[0].decode(as: Int.self) == 1)
            group.cancelAll()
        }
        #expect(try await postgresError { try await pool.query("select 1") }.isUnavailable)
    }

    @Test func `does not lend a connection that died while it was idle`() async throws {
        let cluster = try await ThrowawayCluster.start()
        let pool = cluster.pool()
        // Several idle connections, then a restart: each is dead, and no caller may notice.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { try await pool.query("select pg_sleep(0.1)") } }
            try await group.waitForAll()
        }
        try await cluster.stop()
        try await cluster.start()
        for _ in 0..<8 { try await pool.query("select 1") }
    }

    @Test func `keeps connections ready while it runs`() async throws {
        let cluster = try await ThrowawayCluster.shared()
        let pool = PostgresPool(
            PostgresPool.Configuration(
                connection: PostgresConfiguration(connectionString: cluster.socketConnectionString),
                connectionsMax: 4,
                connectionsMin: 2
            ),
            logger: .quiet
        )
        let running = Task { try await pool.run() }
        try await eventually { pool.statistics.idle == 2 }
        try await pool.withConnection { connection in
            let process = connection.serverProcess
            await #expect(throws: PostgresError.self) {
                try await connection.query("select pg_terminate_backend(\(process))")
            }
        }
        try await eventually { pool.statistics.idle == 2 && pool.statistics.inUse == 0 }
        running.cancel()
        try await running.value
        #expect(pool.statistics.idle == 0)
    }
}
