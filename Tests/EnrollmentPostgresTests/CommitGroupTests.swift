import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

struct CommitGroupTests {
    @Test func `what waits together is committed together, and each is recorded`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let commits = CommitGroup(pool: database.server, groupMax: 64, logger: .quiet)
            let entries = try (0..<100).map { try EntryDraft(world, device: "meter-\($0)").issuing() }
            let outcomes = await outcomes(of: entries, waitingIn: commits, on: database)
            #expect(outcomes == .init(repeating: .success(.recorded), count: 100))
            #expect(try await database.number("select count(*) from certificates") == 100)
            #expect(try await database.number("select count(*) from attempts where outcome = 'issued'") == 100)
            #expect(try await database.number("select count(distinct xmin::text) from attempts") == 2)
            #expect(try await PostgresAuditLog(pool: database.server).verify() == .intact(entries: 103))
        }
    }

    @Test func `two replicas that enroll the same devices at once find one winner each`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let replica = database.replica()
            defer { replica.close() }
            let one = CommitGroup(pool: database.server, groupMax: 16, logger: .quiet)
            let two = CommitGroup(pool: replica, groupMax: 16, logger: .quiet)
            let devices = (0..<120).map { "meter-\($0)" }
            let here = try devices.map { try EntryDraft(world, device: $0).issuing() }
            // In the other order, which is how locks taken row by row would meet crosswise.
            let there = try devices.reversed().map { try EntryDraft(world, device: $0).issuing() }
            try await database.running(one, two) {
                async let left = outcomes(of: here, commits: one)
                async let right = outcomes(of: there, commits: two)
                let (won, lost) = await (left, Array(right.reversed()))
                for (left, right) in zip(won, lost) {
                    #expect(Set([left, right]) == [.success(.recorded), .success(.lostRace)])
                }
            }
            #expect(try await database.number("select count(*) from certificates") == 120)
            #expect(try await database.number("select count(*) from device_keys") == 120)
            #expect(
                try await database.number(
                    """
                    select count(*) from devices d
                    join certificates c on c.serial = d.current_serial and c.key_sha256 = d.current_key_sha256
                    where c.status = 'valid'
                    """
                ) == 120
            )
            #expect(try await PostgresAuditLog(pool: database.server).verify() == .intact(entries: 123))
        }
    }

    @Test func `a full queue refuses at once, and what waits in it is still served`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let commits = CommitGroup(pool: database.server, waitingMax: 2, logger: .quiet)
            let entries = try (0..<2).map { try EntryDraft(world, device: "meter-\($0)").issuing() }
            let outcomes = await outcomes(of: entries, waitingIn: commits, on: database) {
                await #expect(throws: RecordError.overloaded) {
                    try await commits.commit(EntryDraft(world, device: "meter-3").issuing())
                }
            }
            #expect(outcomes == [.success(.recorded), .success(.recorded)])
        }
    }

    @Test func `an entry that the schema refuses does not take its group down`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            var entries = try (0..<10).map { try EntryDraft(world, device: "meter-\($0)").issuing() }
            var poison = try EntryDraft(world, device: "meter-5")
            poison.source = "no\u{0}address"
            entries[5] = try poison.issuing()
            let outcomes = await outcomes(of: entries, waitingIn: commits, on: database)
            for (index, outcome) in outcomes.enumerated() where index != 5 { #expect(outcome == .success(.recorded)) }
            guard case .failure(.broken) = outcomes[5] else {
                Issue.record("the entry was not refused: \(outcomes[5])")
                return
            }
            #expect(try await database.number("select count(*) from certificates") == 9)
            #expect(try await database.number("select count(*) from devices where device_id = 'meter-5'") == 0)
        }
    }

    @Test func `after its end a group says that the server is stopping, to those who wait as well`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            try await database.running(commits) {}
            await #expect(throws: RecordError.unavailable("the server is stopping")) {
                try await commits.commit(EntryDraft(world).refused())
            }
        }
    }

    @Test func `a database that is away is told from a fault of ours`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            var configuration = database.serverConfiguration
            configuration.connectionString = "host=127.0.0.1 port=1 dbname=none"
            let pool = RecordDatabase.pool(configuration)
            defer { pool.close() }
            let commits = CommitGroup(pool: pool, logger: .quiet)
            let record = PostgresEnrollmentRecord(pool: pool, commits: commits)
            try await database.running(commits) {
                let question = try EntryDraft(world).question
                let asked = await #expect(throws: RecordError.self) { try await record.situation(of: question) }
                #expect(asked?.isUnavailable == true)
                let committed = await #expect(throws: RecordError.self) {
                    try await record.commit(EntryDraft(world).refused())
                }
                #expect(committed?.isUnavailable == true)
            }
        }
    }

    /// Lets all of `entries` wait before the group runs; gives the outcomes in their order.
    private func outcomes(
        of entries: [EnrollmentEntry],
        waitingIn commits: CommitGroup,
        on database: RecordDatabase,
        whileTheyWait: @escaping @Sendable () async throws -> Void = {}
    ) async -> [Result<CommitOutcome, RecordError>] {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await eventually { commits.waitingCount == entries.count }
                    try await whileTheyWait()
                } catch {
                    Issue.record(error)
                }
                // It ends by cancellation alone, and without a word.
                try? await commits.run()
            }
            let found = await outcomes(of: entries, commits: commits)
            group.cancelAll()
            return found
        }
    }

    /// Commits all at once and gives the outcomes in the order of `entries`.
    private func outcomes(
        of entries: [EnrollmentEntry],
        commits: CommitGroup
    ) async -> [Result<CommitOutcome, RecordError>] {
        await withTaskGroup(of: (Int, Result<CommitOutcome, RecordError>).self) { group in
            for (index, entry) in entries.enumerated() {
                group.addTask {
                    do throws(RecordError) {
                        return (index, .success(try await commits.commit(entry)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var found: [Int: Result<CommitOutcome, RecordError>] = [:]
            for await (index, outcome) in group { found[index] = outcome }
            return entries.indices.compactMap { found[$0] }
        }
    }
}

extension RecordError {
    fileprivate var isUnavailable: Bool { if case .unavailable = self { true } else { false } }
}
