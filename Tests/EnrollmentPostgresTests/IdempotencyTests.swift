import Enrollment
import EnrollmentPostgres
import Foundation
import Postgres
import TestKit
import Testing

struct IdempotencyTests {
    private let key = IdempotencyKey(actor: "operator ada", key: "k-1", requestSHA256: [UInt8](repeating: 1, count: 32))
    private let other = IdempotencyKey(
        actor: "operator ada",
        key: "k-1",
        requestSHA256: [UInt8](repeating: 2, count: 32)
    )

    @Test func `of a request made many times at once one is at work, and its answer is kept for the repeats`()
        async throws
    {
        try await RecordDatabase.with { database in
            let record = PostgresIdempotencyRecord(pool: database.server)
            let standings = try await withThrowingTaskGroup(of: IdempotencyStanding.self) { group in
                for _ in 0..<10 { group.addTask { try await record.begin(key, at: TestClock.start) } }
                return try await group.reduce(into: [IdempotencyStanding]()) { $0.append($1) }
            }
            #expect(standings.count { $0 == .taken } == 1)
            #expect(standings.count { $0 == .atWork } == 9)
            #expect(try await record.begin(other, at: TestClock.start) == .ofAnotherRequest)
            let answer = KeptAnswer(status: 201, contentType: "application/json", body: Array("{}".utf8))
            try await record.finish(key, answer: answer)
            try await record.abandon(key)
            #expect(try await record.begin(key, at: TestClock.start) == .answered(answer))
            let later = TestClock.start.addingTimeInterval(.day + 1)
            #expect(try await record.begin(other, at: later) == .taken)
        }
    }

    @Test func `a key that was given back, or whose request a crash cut off, can be taken again`() async throws {
        try await RecordDatabase.with { database in
            let record = PostgresIdempotencyRecord(pool: database.server)
            #expect(try await record.begin(key, at: TestClock.start) == .taken)
            try await record.abandon(key)
            #expect(try await record.begin(key, at: TestClock.start) == .taken)
            #expect(try await record.begin(key, at: TestClock.start.addingTimeInterval(119)) == .atWork)
            let late = TestClock.start.addingTimeInterval(121)
            #expect(try await record.begin(other, at: late) == .ofAnotherRequest)
            #expect(try await record.begin(key, at: late) == .taken)
        }
    }

    @Test func `upkeep removes old minutes and answers, and nothing that counts`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            try await database.owner.query(
                """
                insert into bootstrap_minutes (anchor_id, credential_sha256, minute, devices)
                select 1, '', \(TestClock.start) - make_interval(mins => n), 1 from generate_series(0, 6000) n
                """
            )
            try await database.owner.query(
                """
                insert into idempotency_keys (actor, key, request_sha256, created_at)
                select 'ada', n::text, sha256(''), \(TestClock.start) - make_interval(hours => n)
                from generate_series(0, 30) n
                """
            )
            let upkeep = RecordUpkeep(pool: database.server)
            #expect(try await upkeep.removeStale(at: TestClock.start) == 6_001 - 121 + 31 - 25)
            #expect(try await upkeep.removeStale(at: TestClock.start) == 0)
            #expect(try await database.number("select count(*) from bootstrap_minutes") == 121)
            #expect(try await database.number("select count(*) from idempotency_keys") == 25)
        }
    }
}
