import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

struct AuditLogTests {
    /// A database whose audit log has eight entries.
    private func with(_ body: @Sendable (RecordDatabase) async throws -> Void) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            try await database.running(commits) {
                for number in 1...5 {
                    // A time with microseconds: it must come back as it was hashed.
                    var draft = try EntryDraft(world, device: "meter-\(number)")
                    draft.at = TestClock.start.addingTimeInterval(Double(number) + 0.123_457)
                    _ = try await commits.commit(draft.issuing())
                }
            }
            #expect(try await PostgresAuditLog(pool: database.server).verify() == .intact(entries: 8))
            try await body(database)
        }
    }

    enum Forgery: String, CaseIterable, Sendable {
        case changed = "update audit set detail = 'serial 00' where seq = 5"
        case retimed = "update audit set at = at + interval '1 microsecond' where seq = 5"
        case removed = "delete from audit where seq = 5"
        case inserted = """
            insert into audit (seq, at, actor, action, subject, detail, hash)
            select 9, at, actor, action, subject, detail, hash from audit where seq = 8
            """
        case truncated = "delete from audit where seq = 8"
        case emptied = "delete from audit"
        case cutWithItsEnd = """
            with gone as (delete from audit where seq = 8)
            update audit_head set seq = 7
            """

        var brokenAt: Int64 {
            switch self {
            case .changed, .retimed, .removed: 5
            case .inserted: 9
            case .truncated, .cutWithItsEnd: 7
            case .emptied: 0
            }
        }
    }

    @Test(arguments: Forgery.allCases)
    func `a log that was tampered with is found out, and where`(_ forgery: Forgery) async throws {
        try await with { database in
            try await database.owner.withConnection { try await $0.run(script: forgery.rawValue) }
            guard case .broken(let sequence, _) = try await PostgresAuditLog(pool: database.server).verify() else {
                Issue.record("the forgery was not found")
                return
            }
            #expect(sequence == forgery.brokenAt)
        }
    }

    @Test func `the server itself can neither change nor remove an entry`() async throws {
        try await with { database in
            for script in ["update audit set detail = ''", "delete from audit", "truncate audit"] {
                let error = await #expect(throws: PostgresError.self) {
                    try await database.server.withConnection { try await $0.run(script: script) }
                }
                #expect(error?.sqlState == "42501")
            }
        }
    }
}
