import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

/// Limits where several servers let devices in at once, and what commits leave for the operator.
struct LimitTests {
    @Test func `a limit of 10 holds over three servers that let in 40 devices in groups at once`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let replicas = [database.replica(), database.replica()]
            defer { for replica in replicas { replica.close() } }
            let commits = ([database.server] + replicas).map { CommitGroup(pool: $0, groupMax: 7, logger: .quiet) }
            let entries = try (0..<40).map {
                try EntryDraft(world, device: "meter-\($0)").byClaim(
                    anchorLimits: .init(devicesMax: 25),
                    credentialLimits: .init(devicesMax: 10)
                ).issuing()
            }
            try await database.running(commits[0], commits[1], commits[2]) {
                let outcomes = try await withThrowingTaskGroup(of: CommitOutcome.self) { group in
                    for (index, entry) in entries.enumerated() {
                        group.addTask { try await commits[index % 3].commit(entry) }
                    }
                    return try await group.reduce(into: [CommitOutcome]()) { $0.append($1) }
                }
                #expect(outcomes.count { $0 == .recorded } == 10)
            }
            for table in ["devices", "device_keys", "certificates", "attempts"] {
                #expect(try await database.number("select count(*) from \(unescaped: table)") == 10)
            }
            #expect(try await database.number("select devices from anchor_usage") == 10)
            #expect(try await database.number("select devices from bootstrap_credentials") == 10)
            #expect(try await PostgresAuditLog(pool: database.server).verify() == .intact(entries: 13))
        }
    }

    @Test func `who loses the race for a device or a key takes no place under a limit`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            try await database.running(commits) {
                let taken = try EntryDraft(world, device: "meter-0")
                #expect(try await commits.commit(taken.issuing()) == .recorded)
            }
            // All wait together, so that they are one group: the first two are of a device that is in already.
            let drafts = try (0..<5).map { number in
                try EntryDraft(world, device: number < 2 ? "meter-0" : "meter-\(number)")
            }
            let entries = try drafts.map { try $0.byClaim(credentialLimits: .init(devicesMax: 2)).issuing() }
            let group = CommitGroup(pool: database.server, logger: .quiet)
            let outcomes = try await withThrowingTaskGroup(of: (Int, CommitOutcome).self) { tasks in
                for (index, entry) in entries.enumerated() {
                    tasks.addTask { (index, try await group.commit(entry)) }
                    try await eventually { group.waitingCount == index + 1 }
                }
                tasks.addTask {
                    // It ends by cancellation alone.
                    try await group.run()
                    return (-1, .lostRace)
                }
                var outcomes: [Int: CommitOutcome] = [:]
                while outcomes.count < entries.count, let (index, outcome) = try await tasks.next() {
                    outcomes[index] = outcome
                }
                tasks.cancelAll()
                return outcomes
            }
            #expect(outcomes[0] == .lostRace)
            #expect(outcomes[1] == .lostRace)
            #expect(outcomes[2] == .recorded)
            #expect(outcomes[3] == .recorded)
            #expect(outcomes[4] == .lostRace)
        }
    }

    @Test func `an IDevID is counted by its devices, and has no row until somebody speaks of it`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            let record = PostgresEnrollmentRecord(pool: database.server, commits: commits)
            try await database.running(commits) {
                let first = try EntryDraft(world).byIDevID(credentialLimits: .init(devicesMax: 1))
                #expect(try await commits.commit(first.issuing()) == .recorded)
                let second = try EntryDraft(world, device: "meter-2").byIDevID(credentialLimits: .init(devicesMax: 1))
                #expect(try await commits.commit(second.issuing()) == .lostRace)
                #expect(try await record.situation(of: second.bootstrapQuestion()).standing?.credential.devices == 1)
                #expect(try await database.number("select count(*) from bootstrap_credentials") == 0)
                #expect(try await database.number("select count(*) from bootstrap_minutes") == 1)
                let hourly = try EntryDraft(world, device: "meter-3").byIDevID(
                    8,
                    credentialLimits: .init(devicesPerHour: 1)
                )
                #expect(try await commits.commit(hourly.issuing()) == .recorded)
                let tooMuch = try EntryDraft(world, device: "meter-4").byIDevID(
                    8,
                    credentialLimits: .init(devicesPerHour: 1)
                )
                #expect(try await commits.commit(tooMuch.issuing()) == .lostRace)
                let register = PostgresBootstrapRegister(pool: database.server)
                let entry = try await register.change(
                    first.credential,
                    of: world.fleet.id,
                    .block(comment: "stolen"),
                    actor: "operator ada",
                    at: TestClock.start
                )
                #expect(entry.devices == 1)
            }
        }
    }

    @Test func `a mark keeps its first time, and is told to the operators once`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            let register = PostgresBootstrapRegister(pool: database.server)
            let log = PostgresAuditLog(pool: database.server)
            let credential = try EntryDraft(world).credential
            func marks() async throws -> [SequencedAuditEntry] {
                try await log.entries(subject: nil, before: nil, limit: 100)
                    .filter { $0.entry.action == "credential.marked" }
            }
            try await database.running(commits) {
                for number in 0..<3 {
                    var draft = try EntryDraft(world, device: "meter-\(number)")
                    draft.at = TestClock.start.addingTimeInterval(Double(number))
                    #expect(try await commits.commit(draft.marking()) == .recorded)
                }
                let marked = try #require(await register.credential(credential, of: world.fleet.id))
                #expect(marked.markedAt == TestClock.start)
                #expect(marked.markedReason == "credential-device-limit")
                #expect(marked.kind == .claim)
                #expect(marked.anchor == "claims")
                #expect(try await marks().count == 1)
                #expect(try await database.number("select count(*) from attempts where outcome = 'refused'") == 3)
                let cleared = try await register.change(
                    credential,
                    of: world.fleet.id,
                    .clear,
                    actor: "operator ada",
                    at: TestClock.start
                )
                #expect(cleared.markedAt == nil)
                #expect(try await commits.commit(EntryDraft(world).marking(.anchorRateLimit)) == .recorded)
                #expect(try await marks().count == 2)
            }
            #expect(try await log.verify() == .intact(entries: 6))
        }
    }
}
