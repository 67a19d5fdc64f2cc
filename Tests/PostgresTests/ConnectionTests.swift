import Postgres
import TestPeers
import Testing

@Suite struct `A connection` {
    @Test func `gives the results of a pipeline in order`() async throws {
        let connection = try await ThrowawayCluster.shared().connect()
        let results = try await connection.pipeline((0..<200).map { "select \($0)" })
        #expect(try results.map { try $0[0].decode(as: Int.self) } == Array(0..<200))
    }

    @Test func `says which statement of a pipeline failed, and works on`() async throws {
        let connection = try await ThrowawayCluster.shared().connect()
        let error = try await postgresError {
            try await connection.pipeline(["select 1", "select 1 / \(0)", "select 2", "select never_prepared()"])
        }
        #expect(error.refusal?.statement == 1)
        #expect(error.sqlState == "22012")
        #expect(try await connection.query("select 3")[0].decode(as: Int.self) == 3)
        #expect(try await connection.pipeline(["select 2"])[0][0].decode(as: Int.self) == 2)
    }

    @Test func `undoes all of a pipeline that failed`() async throws {
        let connection = try await ThrowawayCluster.shared().connect()
        try await connection.run(script: "create temporary table t (n int8 unique)")
        _ = try await postgresError {
            try await connection.pipeline(["insert into t values (\(1))", "insert into t values (\(1))"])
        }
        #expect(try await connection.query("select count(*) from t")[0].decode(as: Int.self) == 0)
        let error = try await postgresError {
            try await connection.pipeline(
                ["BEGIN", "insert into t values (\(1))", "insert into t values (\(1))", "COMMIT"]
            )
        }
        #expect(error.violatedConstraint == "t_n_key")
        #expect(!connection.isInTransaction)
        #expect(try await connection.query("select count(*) from t")[0].decode(as: Int.self) == 0)
        try await connection.pipeline(["BEGIN", "insert into t values (\(1))", "COMMIT"])
        #expect(try await connection.query("select count(*) from t")[0].decode(as: Int.self) == 1)
    }

    @Test func `serves calls made at once one after the other`() async throws {
        let connection = try await ThrowawayCluster.shared().connect()
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<50 {
                group.addTask { try await connection.query("select \(number)")[0].decode(as: Int.self) }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 1225)
    }

    @Test func `keeps values and passwords out of every error text`() async throws {
        let connection = try await ThrowawayCluster.shared().connect()
        try await connection.run(script: "create temporary table t (name text unique)")
        try await connection.query("insert into t values (\("hunter2"))")
        let unique = try await postgresError { try await connection.query("insert into t values (\("hunter2"))") }
        #expect(unique.refusal?.detail?.contains("hunter2") == true)
        #expect(!"\(unique) \(String(reflecting: unique))".contains("hunter2"))
        let data = try await postgresError { try await connection.query("select \("hunter2")::int8") }
        #expect(data.sqlState == "22P02")
        #expect(!"\(data) \(String(reflecting: data))".contains("hunter2"))

        for string in ["password=hunter2 nonsense", "postgres://u:hunter2@[::1"] {
            let configuration = PostgresConfiguration(connectionString: string)
            #expect(!"\(configuration) \(String(reflecting: configuration))".contains("hunter2"))
            let error = try await postgresError { _ = try await PostgresConnection.connect(configuration) }
            #expect(error.isUnavailable)
            #expect(!"\(error)".contains("hunter2"))
        }
    }

    @Test func `ends a call at its deadline, and is closed then, and the server stops`() async throws {
        let cluster = try await ThrowawayCluster.shared()
        let connection = try await cluster.connect()
        let watcher = try await cluster.connect()
        let started = ContinuousClock.now
        let error = try await postgresError {
            try await connection.query("select pg_sleep(60)", timeout: .milliseconds(200))
        }
        #expect(error.isTimedOut)
        #expect(ContinuousClock.now - started < .seconds(30), "pg_sleep was waited for")
        #expect(connection.isClosed)
        let process = connection.serverProcess
        try await eventually {
            let rows = try? await watcher.query("select count(*) from pg_stat_activity where pid = \(process)")
            return (try? rows?.first?.decode(as: Int.self)) == 0
        }
    }

    @Test func `reads a cancelled call to its end and serves the next`() async throws {
        let cluster = try await ThrowawayCluster.shared()
        // On a busy machine the end may come too late, and the connection is given up: then once more with another.
        for _ in 0..<20 {
            let connection = try await cluster.connect()
            let task = Task { try await connection.query("select pg_sleep(0.1)") }
            task.cancel()
            let error = try await postgresError { _ = try await task.value }
            #expect(error.isCancelled)
            guard let rows = try? await connection.query("select 1") else { continue }
            #expect(try rows[0].decode(as: Int.self) == 1)
            return
        }
        Issue.record("no connection outlived a cancelled call")
    }

    @Test func `gives up a cancelled call that the server does not end`() async throws {
        let cluster = try await ThrowawayCluster.shared()
        let connection = try await cluster.connect()
        let watcher = try await cluster.connect()
        let process = connection.serverProcess
        let task = Task { try await connection.query("select pg_sleep(60)", timeout: .seconds(60)) }
        try await eventually {
            let rows = try? await watcher.query(
                "select count(*) from pg_stat_activity where pid = \(process) and state = 'active'"
            )
            return (try? rows?.first?.decode(as: Int.self)) == 1
        }
        task.cancel()
        let error = try await postgresError { _ = try await task.value }
        #expect(error.isCancelled)
        try await eventually { connection.isClosed }
    }

    @Test(arguments: [true, false])
    func `knows when its server process ended`(isKilled: Bool) async throws {
        let cluster = try await ThrowawayCluster.start()
        let connection = try await cluster.connect()
        let other = try await cluster.connect()
        let process = connection.serverProcess
        async let sleeping = postgresError { try await connection.query("select pg_sleep(60)") }
        try await eventually {
            let rows = try? await other.query(
                "select count(*) from pg_stat_activity where pid = \(process) and state = 'active'"
            )
            return (try? rows?.first?.decode(as: Int.self)) == 1
        }
        if isKilled {
            try await cluster.kill(process: process)
        } else {
            try await other.query("select pg_terminate_backend(\(process))")
        }
        let error = try await sleeping
        #expect(error.isUnavailable)
        #expect(connection.isClosed)
        #expect(try await postgresError { try await connection.query("select 1") }.isUnavailable)
    }

    @Test func `finds the living host of several, and the one that takes writes`() async throws {
        let dead = try await ThrowawayCluster.start()
        let standby = try await ThrowawayCluster.start()
        let living = try await ThrowawayCluster.shared()
        try await dead.stop()
        try await standby.connect().run(script: "alter system set default_transaction_read_only = on")
        try await standby.stop()
        try await standby.start()
        let ports = "\(dead.port),\(standby.port),\(living.port)"
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(
                connectionString: "host=127.0.0.1,127.0.0.1,127.0.0.1 port=\(ports) user=postgres dbname=postgres "
                    + "target_session_attrs=read-write"
            )
        )
        let port = try await connection.query("select current_setting('port')")[0].decode(as: String.self)
        #expect(port == "\(living.port)")
        // A session that finds itself on a server that takes no more writes is given up, so that the next finds better.
        let readOnly = try await standby.connect()
        let error = try await postgresError { try await readOnly.run(script: "create table t ()") }
        #expect(error.isUnavailable)
        #expect(readOnly.isClosed)
    }
}

@Suite struct `A transaction` {
    struct Mishap: Error {}

    @Test func `is committed at the end, and rolled back when its body throws`() async throws {
        let connection = try await ThrowawayCluster.shared().connect()
        try await connection.run(script: "create temporary table t (n int8)")
        try await connection.withTransaction { connection in try await connection.query("insert into t values (\(1))") }
        await #expect(throws: Mishap.self) {
            try await connection.withTransaction { connection in
                try await connection.query("insert into t values (\(2))")
                throw Mishap()
            }
        }
        #expect(!connection.isInTransaction)
        #expect(try await connection.query("select array_agg(n) from t")[0].decode(as: [Int64].self) == [1])
    }

    @Test func `is rolled back when its task is cancelled`() async throws {
        let connection = try await ThrowawayCluster.shared().connect()
        try await connection.run(script: "create temporary table t (n int8)")
        let task = Task {
            try await connection.withTransaction { connection in
                try await connection.query("insert into t values (\(1))")
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                try await connection.query("insert into t values (\(2))")
            }
        }
        await #expect(throws: (any Error).self) { try await task.value }
        #expect(!connection.isClosed)
        #expect(try await connection.query("select count(*) from t")[0].decode(as: Int.self) == 0)
    }

    @Test func `that had a failed statement does not pass for committed`() async throws {
        let connection = try await ThrowawayCluster.shared().connect()
        let error = try await postgresError {
            try await connection.withTransaction { connection in
                _ = try? await connection.query("select 1 / \(0)")
            }
        }
        #expect(error.sqlState == "25P02")
        let piped = try await postgresError {
            try await connection.query("BEGIN")
            _ = try? await connection.query("select 1 / \(0)")
            try await connection.pipeline(["COMMIT"])
        }
        #expect(piped.sqlState == "25P02")
    }

    @Test func `whose server dies at COMMIT has an unknown outcome`() async throws {
        let cluster = try await ThrowawayCluster.start()
        let connection = try await cluster.connect()
        let other = try await cluster.connect()
        // A deferred trigger runs inside COMMIT, and waits there for a lock that `other` holds.
        try await connection.run(
            script: """
                create table t (n int8);
                create function wait() returns trigger language plpgsql as
                    'begin perform pg_advisory_xact_lock(7); return null; end';
                create constraint trigger waits after insert on t deferrable initially deferred
                    for each row execute function wait();
                """
        )
        try await other.query("select pg_advisory_lock(7)")
        async let outcome = postgresError {
            try await connection.withTransaction { connection in
                _ = try await connection.query("insert into t values (\(1))")
            }
        }
        try await eventually {
            let rows = try? await other.query(
                "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            )
            return (try? rows?.first?.decode(as: Int.self)) == 1
        }
        try await cluster.kill(process: connection.serverProcess)
        #expect(try await outcome.isCommitOutcomeUnknown)
    }

    @Test func `the loser of a deadlock is told to try again`() async throws {
        let cluster = try await ThrowawayCluster.shared()
        let (first, second) = (try await cluster.connect(), try await cluster.connect())
        try await first.run(script: "set deadlock_timeout = '50ms'")
        try await second.run(script: "set deadlock_timeout = '50ms'")
        try await first.query("BEGIN")
        try await second.query("BEGIN")
        try await first.query("select pg_advisory_xact_lock(101)")
        try await second.query("select pg_advisory_xact_lock(102)")
        async let one = Result<PostgresRows, any Error> { try await first.query("select pg_advisory_xact_lock(102)") }
        async let two = Result<PostgresRows, any Error> { try await second.query("select pg_advisory_xact_lock(101)") }
        func release(_ connection: PostgresConnection) async { _ = try? await connection.query("ROLLBACK") }
        // Whoever lost is rolled back, which lets the other go on.
        var transient = 0
        if case .failure(let error) = await one { transient += (error as? PostgresError)?.isTransient == true ? 1 : 0 }
        await release(first)
        if case .failure(let error) = await two { transient += (error as? PostgresError)?.isTransient == true ? 1 : 0 }
        await release(second)
        #expect(transient == 1)
    }
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
