import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

struct AttemptLogTests {
    /// Attempts of ten devices over some weeks, so that they lie in several partitions; every third one is refused.
    private func with(
        _ body: @Sendable (PostgresAttemptLog, TestFleet, [EnrollmentEntry]) async throws -> Void
    ) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let began = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded())
            let entries = try (0..<60).map { number in
                var draft = try EntryDraft(world, device: "meter-\(number % 10)")
                draft.at = began.addingTimeInterval(Double(number / 2) * .day)
                return number % 3 == 0 ? try draft.marking() : try draft.asking()
            }
            try await database.commit(entries)
            try await body(PostgresAttemptLog(pool: database.server), world, entries)
        }
    }

    private func walk(_ log: PostgresAttemptLog, _ change: (inout AttemptQuery) -> Void) async throws -> [UUID] {
        var query = AttemptQuery()
        change(&query)
        var found: [AttemptEntry] = []
        while true {
            let after = found.last.map { AttemptPosition(at: $0.at, id: $0.id) }
            let page = try await log.attempts(query, after: after, limit: 7)
            if page.isEmpty { break }
            found += page
        }
        #expect(found.map(\.at) == found.map(\.at).sorted(by: >))
        return found.map(\.requestID)
    }

    @Test func `each question walks all of its attempts once, newest first`() async throws {
        try await with { log, world, entries in
            let attempts = entries.map(\.attempt)
            func expect(
                _ change: (inout AttemptQuery) -> Void,
                _ isMeant: (Attempt) -> Bool
            ) async throws {
                let found = try await walk(log, change)
                #expect(Set(found) == Set(attempts.filter(isMeant).map(\.requestID)))
                #expect(Set(found).count == found.count)
            }
            let fleet = world.fleet.id
            try await expect({ _ in }) { _ in true }
            try await expect({ $0.fleet = fleet }) { _ in true }
            try await expect({ $0.fleet = FleetID(2) }) { _ in false }
            try await expect({ $0.device = "meter-3" }) { $0.device?.text == "meter-3" }
            try await expect({ query in
                query.fleet = fleet
                query.device = "meter-3"
                query.outcome = .refused
            }) { $0.device?.text == "meter-3" && $0.outcome == .refused }
            try await expect({ query in
                query.fleet = fleet
                query.outcome = .pending
            }) { $0.outcome == .pending }
            try await expect({ $0.reason = .credentialDeviceLimit }) { $0.outcome == .refused }
            try await expect({ $0.reason = .anchorBlocked }) { _ in false }
            try await expect({ $0.credentialSHA256 = [UInt8](repeating: 7, count: 32) }) { _ in true }
            let from = attempts[20].at
            let until = attempts[41].at
            try await expect({ query in
                query.fleet = fleet
                query.from = from
                query.until = until
            }) { $0.at >= from && $0.at < until }
        }
    }

    @Test func `a question without a beginning that no index answers goes back a week from its end`() async throws {
        try await with { log, world, entries in
            let until = entries[40].attempt.at
            let found = try await walk(log) { query in
                query.credentialSHA256 = [UInt8](repeating: 7, count: 32)
                query.until = until
            }
            let week = entries.map(\.attempt).filter { $0.at < until && $0.at >= until.addingTimeInterval(-7 * .day) }
            #expect(Set(found) == Set(week.map(\.requestID)))
        }
    }

    @Test func `an attempt is found by the id in its answer, and told in full`() async throws {
        try await with { log, world, entries in
            let attempt = entries[3].attempt
            let entry = try #require(await log.attempt(attempt.requestID))
            #expect(entry.at == attempt.at)
            #expect(entry.fleet == "meters")
            #expect(entry.device == "meter-3")
            #expect(entry.operation == "simpleenroll")
            #expect(entry.credentialKind == "claim")
            #expect(entry.anchor == "claims")
            #expect(entry.outcome == "refused")
            #expect(entry.reason == "credential-device-limit")
            #expect(entry.detail == "the limit is reached")
            #expect(entry.source == "192.0.2.7")
            #expect(try await log.attempt(UUID()) == nil)
        }
    }
}
