import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

struct RegistrationRegisterTests {
    private func with(
        _ body: @Sendable (RecordDatabase, TestFleet, PostgresRegistrationRegister) async throws -> Void
    ) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            try await body(database, world, PostgresRegistrationRegister(pool: database.server))
        }
    }

    private func line(_ device: String, key: UInt8? = nil) throws -> RegistrationLine {
        let registration = Registration(publicKeySHA256: key.map { [UInt8](repeating: $0, count: 32) })
        return RegistrationLine(device: try #require(DeviceID(device)), registration: registration)
    }

    private func importing(
        _ batches: [[RegistrationLine]],
        _ register: PostgresRegistrationRegister,
        _ fleet: FleetID
    ) async throws -> RegistrationCounts {
        try await register.registerAll(fleet: fleet, actor: "operator ada", at: TestClock.start) { sink in
            for batch in batches { try await sink(batch) }
        }
    }

    @Test func `an import of 20,000 lines is one entry of the log, and once more it changes nothing`() async throws {
        try await with { database, world, register in
            let batches = try (0..<10).map { batch in
                try (0..<2_000).map { try line("meter-\(batch * 2_000 + $0)", key: UInt8($0 % 250)) }
            }
            let fleet = world.fleet.id
            #expect(try await importing(batches, register, fleet) == RegistrationCounts(added: 20_000))
            let written = try await database.number("select count(distinct xmin::text) from registrations")
            #expect(written == 1)
            #expect(try await importing(batches, register, fleet) == RegistrationCounts(unchanged: 20_000))
            #expect(try await database.number("select count(*) from registrations where xmax <> 0") == 0)
            let other = [try line("meter-7", key: 251), try line("meter-x")]
            #expect(
                try await importing([other], register, fleet) == RegistrationCounts(added: 1, changed: 1)
            )
            let entries = try await PostgresAuditLog(pool: database.server)
                .entries(subject: "meters", before: nil, limit: 3).map(\.entry)
            #expect(Set(entries.map(\.action)) == ["registrations.imported"])
            #expect(
                entries.map(\.detail) == [
                    "added 1, changed 1, unchanged 0", "added 0, changed 0, unchanged 20000",
                    "added 20000, changed 0, unchanged 0",
                ]
            )
        }
    }

    @Test func `of a device that stands in an import several times, the last line counts`() async throws {
        try await with { _, world, register in
            let lines = [try line("meter-1", key: 1), try line("meter-2"), try line("meter-1", key: 2)]
            let counts = try await importing([lines, [try line("meter-2", key: 3)]], register, world.fleet.id)
            #expect(counts == RegistrationCounts(added: 2, changed: 1))
            let all = try await register.registrations(of: world.fleet.id, prefix: "", after: nil, limit: 10)
            #expect(all.map(\.device) == ["meter-1", "meter-2"])
            #expect(all.map { $0.registration.publicKeySHA256?.first } == [2, 3])
        }
    }

    @Test func `an import whose feed fails leaves nothing, and tells why in the feed's own words`() async throws {
        try await with { database, world, register in
            struct BadLine: Error {}
            let good = try (0..<100).map { try line("meter-\($0)") }
            await #expect(throws: BadLine.self) {
                _ = try await register.registerAll(
                    fleet: world.fleet.id,
                    actor: "operator ada",
                    at: TestClock.start
                ) { sink in
                    try await sink(good)
                    throw BadLine()
                }
            }
            #expect(try await database.number("select count(*) from registrations") == 0)
            #expect(try await database.number("select count(*) from audit where subject = 'meters'") == 2)
        }
    }

    @Test func `while an import is at work devices enroll, and a second import is told to wait`() async throws {
        try await with { database, world, register in
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            let lines = [try line("meter-1")]
            try await database.running(commits) {
                let entry = try EntryDraft(world, device: "meter-2").issuing()
                let counts = try await register.registerAll(
                    fleet: world.fleet.id,
                    actor: "operator ada",
                    at: TestClock.start
                ) { sink in
                    try await sink(lines)
                    #expect(try await commits.commit(entry) == .recorded)
                    await #expect(throws: RecordError.self) {
                        _ = try await importing([lines], register, world.fleet.id)
                    }
                    try await sink(lines)
                }
                #expect(counts == RegistrationCounts(added: 1, unchanged: 1))
            }
            #expect(try await PostgresAuditLog(pool: database.server).verify() == .intact(entries: 5))
        }
    }

    @Test func `paging walks all of a prefix once, by their bytes`() async throws {
        try await with { _, world, register in
            let names = (0..<120).map { "B-\($0)" } + (0..<30).map { "b_\($0)" } + ["A", "B", "B-", "C", "B.1", "Bz"]
            _ = try await importing([try names.map { try line($0) }], register, world.fleet.id)
            for prefix in ["", "B-", "B", "b_", "X"] {
                var found: [String] = []
                while true {
                    let page = try await register.registrations(
                        of: world.fleet.id,
                        prefix: prefix,
                        after: found.last,
                        limit: 7
                    )
                    if page.isEmpty { break }
                    found += page.map(\.device)
                }
                let expected = names.filter { $0.hasPrefix(prefix) }
                    .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
                #expect(found == expected)
            }
        }
    }

    @Test func `one registration is added, changed, left alone and removed, each told in the log`() async throws {
        try await with { database, world, register in
            let fleet = world.fleet.id
            let device = try world.names("meter-1").device
            let pinned = Registration(idevidSHA256: [UInt8](repeating: 5, count: 32))
            func say(_ registration: Registration) async throws -> RegistrationChange {
                try await register.register(
                    device,
                    registration,
                    fleet: fleet,
                    actor: "operator ada",
                    at: TestClock.start
                )
            }
            #expect(try await say(Registration()) == .added)
            #expect(try await say(pinned) == .changed)
            #expect(try await say(pinned) == .unchanged)
            let entry = try #require(await register.registration(device, of: fleet))
            #expect(entry.registration == pinned)
            #expect(!entry.isEnrolled)
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            try await database.running(commits) { _ = try await commits.commit(EntryDraft(world).issuing()) }
            #expect(try await register.registration(device, of: fleet)?.isEnrolled == true)
            func remove() async throws -> Bool {
                try await register.remove(device, fleet: fleet, actor: "operator ada", at: TestClock.start)
            }
            #expect(try await remove())
            #expect(try await remove() == false)
            let actions = try await PostgresAuditLog(pool: database.server)
                .entries(subject: "meter-1@meters", before: nil, limit: 10).map(\.entry.action)
            #expect(
                actions == [
                    "registration.removed", "certificate.issued", "registration.changed", "registration.added",
                ]
            )
        }
    }
}
