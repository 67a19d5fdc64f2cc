import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

/// Events for webhooks: written with what they tell, sent by one server at a time.
struct WebhookQueueTests {
    private static let all = WebhookSubscription(webhook: "inventory")

    /// A database with a fleet, and a webhook that is known.
    private static func with(
        _ body: @Sendable (RecordDatabase, TestFleet, PostgresWebhookQueue) async throws -> Void
    ) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let queue = PostgresWebhookQueue(pool: database.server)
            try await queue.register(["inventory"])
            try await body(database, world, queue)
        }
    }

    /// Commits entries one by one by a server with these webhooks.
    private static func commit(
        _ entries: [EnrollmentEntry],
        to database: RecordDatabase,
        _ webhooks: [WebhookSubscription] = [all]
    ) async throws -> [CommitOutcome] {
        let commits = CommitGroup(pool: database.server, webhooks: { webhooks }, logger: .quiet)
        var outcomes: [CommitOutcome] = []
        try await database.running(commits) {
            for entry in entries { outcomes.append(try await commits.commit(entry)) }
        }
        return outcomes
    }

    private static func types(_ database: RecordDatabase, webhook: String = "inventory") async throws -> [String] {
        try await database.owner.query("select type from webhook_events where webhook = \(webhook) order by id")
            .map { try $0.decode(as: String.self) }
    }

    private static func settle(
        _ queue: PostgresWebhookQueue,
        _ batch: WebhookBatch?,
        _ outcomes: [WebhookOutcome]
    ) async throws -> Int {
        let batch = try #require(batch)
        return try await queue.settle(batch, WebhookSettlement(batch, outcomes) { 1 })
    }

    /// As if all waits were over.
    private static func haste(_ database: RecordDatabase) async throws {
        _ = try await database.owner.query("update webhooks set due_at = now()")
        _ = try await database.owner.query("update webhook_events set due_at = now()")
    }

    @Test func `what was enrolled, refused and marked is told as it was committed, and what lost is not`() async throws
    {
        try await Self.with { database, world, queue in
            let draft = try EntryDraft(world)
            let issued = try draft.issuing()
            let outcomes = try await Self.commit(
                // The second one saw no certificate of the device, and loses to the first.
                [
                    issued, EntryDraft(world).issuing(), draft.refused(), draft.asking(), draft.marking(),
                    draft.marking(),
                ],
                to: database
            )
            #expect(outcomes == [.recorded, .lostRace, .recorded, .recorded, .recorded, .recorded])
            #expect(
                try await Self.types(database) == [
                    "device.enrolled", "enrollment.refused", "enrollment.refused", "credential.marked",
                    "enrollment.refused",
                ]
            )
            let batch = try #require(try await queue.take("inventory", limit: 10))
            let first = try #require(batch.deliveries.first)
            let object = try JSONSerialization.jsonObject(with: Data(first.body)) as? [String: Any]
            let data = try #require(object?["data"] as? [String: String])
            let serial = try #require(issued.issuance).certificate.serialNumber
            #expect(data["serial"] == Hex.text(serial) && data["device"] == "meter-1")
            #expect(data["operation"] == "simpleenroll" && data["credentialKind"] == "idevid")
            #expect(Set(batch.deliveries.map(\.message)).count == batch.deliveries.count)
        }
    }

    @Test func `without webhooks nothing is written, and each is told what it takes alone`() async throws {
        try await Self.with { database, world, queue in
            _ = try await Self.commit([EntryDraft(world).issuing(), EntryDraft(world).marking()], to: database, [])
            #expect(try await database.number("select count(*) from webhook_events") == 0)
            try await queue.register(["alarms", "valves", "inventory"])
            let other = try #require(FleetName("valves"))
            _ = try await Self.commit(
                [EntryDraft(world, device: "meter-2").issuing(), EntryDraft(world).refused()],
                to: database,
                [
                    Self.all, WebhookSubscription(webhook: "alarms", kinds: [.enrollmentRefused]),
                    WebhookSubscription(webhook: "valves", fleets: [other]),
                    WebhookSubscription(webhook: "nobody-knows-it"),
                ]
            )
            #expect(try await Self.types(database) == ["device.enrolled", "enrollment.refused"])
            #expect(try await Self.types(database, webhook: "alarms") == ["enrollment.refused"])
            #expect(try await database.number("select count(*) from webhook_events") == 3)
        }
    }

    @Test func `what operators do to a device is told with the change, and what changes nothing is not`() async throws {
        try await Self.with { database, world, _ in
            let draft = try EntryDraft(world)
            try await database.commit([draft.issuing()])
            let device = try world.names(draft.device).device
            let register = PostgresRevocationRegister(pool: database.server, webhooks: { [Self.all] })
            let changes: [StandingChange] = [
                .revoke(.certificateHold, comment: "looked at"), .revoke(.certificateHold, comment: nil),
                .release(comment: nil), .release(comment: nil), .revoke(.superseded, comment: nil),
                .clear(comment: nil),
            ]
            for change in changes {
                _ = try await register.change(device, of: world.fleet.id, change, actor: "operator ada", at: Date())
            }
            #expect(try await Self.types(database) == ["device.held", "device.released", "device.revoked"])
        }
    }

    @Test func `events of one subject go one after the other, those of others beside them`() async throws {
        try await Self.with { database, world, queue in
            let draft = try EntryDraft(world)
            _ = try await Self.commit(
                [draft.issuing(), draft.marking(), EntryDraft(world, device: "meter-2").issuing()],
                to: database
            )
            // meter-1 enrolled, meter-1 refused, its credential marked, meter-2 enrolled.
            let first = try await queue.take("inventory", limit: 10)
            #expect(first?.deliveries.map(\.id) == [1, 2, 3, 4])
            #expect(first?.deliveries.map { $0.subject.prefix(7) } == ["meter-1", "meter-1", "credent", "meter-2"])
            let refused = WebhookOutcome.refused(status: 500, retryAfter: nil)
            #expect(try await Self.settle(queue, first, [refused, .unsent, .delivered, .delivered]) == 0)
            #expect(try await queue.take("inventory", limit: 10) == nil, "the second waits for the first")
            try await Self.haste(database)
            let again = try await queue.take("inventory", limit: 10)
            #expect(again?.deliveries.map(\.id) == [1, 2] && again?.deliveries.map(\.attempts) == [1, 0])
            #expect(again?.deliveries.first?.message == first?.deliveries.first?.message)
            #expect(again?.deliveries.first?.body == first?.deliveries.first?.body)
            _ = try await Self.settle(queue, again, [.delivered, .unsent])
            let last = try await queue.take("inventory", limit: 10)
            #expect(last?.deliveries.map(\.id) == [2])
            _ = try await Self.settle(queue, last, [.delivered])
            #expect(try await database.number("select count(*) from webhook_events") == 0)
        }
    }

    @Test func `one server at a time sends, and another goes on where it was killed`() async throws {
        try await Self.with { database, world, queue in
            _ = try await Self.commit(
                [EntryDraft(world).issuing(), EntryDraft(world, device: "meter-2").issuing()],
                to: database
            )
            let replica = database.replica()
            defer { replica.close() }
            let other = PostgresWebhookQueue(pool: replica)
            let first = try await queue.take("inventory", limit: 1)
            #expect(first?.deliveries.count == 1)
            #expect(try await other.take("inventory", limit: 10) == nil)
            // Its hold is over; what it took was never settled.
            _ = try await database.owner.query("update webhooks set held_until = now() - interval '1 second'")
            let taken = try await other.take("inventory", limit: 10)
            #expect(taken?.deliveries.count == 2)
            #expect(taken?.deliveries.first?.message == first?.deliveries.first?.message)
            // The first one was slow and not killed: what it delivered is done, and the hold is the other's all the same.
            _ = try await Self.settle(queue, first, [.delivered])
            #expect(try await queue.take("inventory", limit: 10) == nil)
            _ = try await Self.settle(other, taken, [.delivered, .delivered])
            #expect(try await database.number("select count(*) from webhook_events") == 0)
            #expect(try await database.number("select count(*) from webhooks where held_by is null") == 1)
        }
    }

    @Test func `servers that take at once never get what another one has delivered`() async throws {
        try await Self.with { database, world, queue in
            let count = 24
            _ = try await Self.commit(
                (1...count).map { try EntryDraft(world, device: "meter-\($0)").issuing() },
                to: database
            )
            let taken = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var taken: [Int64] = []
                        while try await database.number("select count(*) from webhook_events") > 0 {
                            guard let batch = try await queue.take("inventory", limit: 1) else { continue }
                            taken += batch.deliveries.map(\.id)
                            _ = try await Self.settle(queue, batch, batch.deliveries.map { _ in .delivered })
                        }
                        return taken
                    }
                }
                return try await group.reduce(into: [Int64]()) { $0 += $1 }
            }
            #expect(taken.count == count && Set(taken).count == count)
        }
    }

    @Test func `a receiver that took nothing rests and is then tried with one event`() async throws {
        try await Self.with { database, world, queue in
            let devices = try (1...5).map { try EntryDraft(world, device: "meter-\($0)").issuing() }
            _ = try await Self.commit(devices, to: database)
            let away = WebhookOutcome.unreached("no connection")
            let first = try await queue.take("inventory", limit: 10)
            _ = try await Self.settle(queue, first, [away, away, away, away, away])
            #expect(try await queue.take("inventory", limit: 10) == nil)
            let standing = try #require(try await queue.standings().first)
            #expect(standing.failures == 1 && standing.lastFailure == "no connection" && standing.waiting == 5)
            #expect((standing.oldestSeconds ?? 0) > 0 && standing.givenUp == 0 && standing.disabledAt == nil)
            try await Self.haste(database)
            let probe = try await queue.take("inventory", limit: 10)
            #expect(probe?.deliveries.map(\.id) == [1] && probe?.failures == 1)
            _ = try await Self.settle(queue, probe, [.delivered])
            #expect(try await queue.take("inventory", limit: 10)?.deliveries.count == 4)
        }
    }

    @Test func `what was not taken for a day is given up at its next failure, and can be sent once more`() async throws
    {
        try await Self.with { database, world, queue in
            let devices = try (1...3).map { try EntryDraft(world, device: "meter-\($0)").issuing() }
            _ = try await Self.commit(devices, to: database)
            let inADay = try await database.number(
                "select count(*) from webhook_events where give_up_at between now() + '23 h' and now() + '24 h'"
            )
            #expect(inADay == 3)
            _ = try await database.owner.query("update webhook_events set give_up_at = now() where id < 3")
            let refused = WebhookOutcome.refused(status: 500, retryAfter: nil)
            let first = try await queue.take("inventory", limit: 10)
            #expect(try await Self.settle(queue, first, [.delivered, refused, refused]) == 1)
            #expect(try await queue.standings().map(\.givenUp) == [1])
            try await Self.haste(database)
            #expect(try await queue.take("inventory", limit: 10)?.deliveries.map(\.id) == [3])

            #expect(try await queue.retry("nobody", actor: "ada", at: Date()) == nil)
            #expect(try await queue.retry("inventory", actor: "ada", at: Date()) == 1)
            _ = try await database.owner.query("update webhooks set held_until = null")
            let again = try await queue.take("inventory", limit: 10)
            #expect(again?.deliveries.map(\.id) == [2, 3] && again?.deliveries.map(\.attempts) == [0, 1])
            #expect(try await queue.standings().map(\.givenUp) == [0])
            #expect(
                try await database.number(
                    "select count(*) from audit where action = 'webhook.retried' and actor = 'ada'"
                )
                    == 1
            )
        }
    }

    @Test func `a receiver that takes nothing has all that is too old given up at once`() async throws {
        try await Self.with { database, world, queue in
            let devices = try (1...4).map { try EntryDraft(world, device: "meter-\($0)").issuing() }
            _ = try await Self.commit(devices, to: database)
            _ = try await database.owner.query("update webhook_events set give_up_at = now() where id < 4")
            let probe = try await queue.take("inventory", limit: 1)
            #expect(try await Self.settle(queue, probe, [.unreached("no connection")]) == 3)
            #expect(try await queue.standings().map(\.waiting) == [1])
        }
    }

    @Test
    func `a receiver that wants no more is told nothing and has nothing written for it, until an operator says so`()
        async throws
    {
        try await Self.with { database, world, queue in
            _ = try await Self.commit([EntryDraft(world).issuing()], to: database)
            _ = try await Self.settle(queue, try await queue.take("inventory", limit: 10), [.gone])
            try await Self.haste(database)
            #expect(try await queue.take("inventory", limit: 10) == nil)
            #expect(try await queue.standings().first?.disabledAt != nil)
            _ = try await Self.commit([EntryDraft(world, device: "meter-2").issuing()], to: database)
            try await queue.register(["inventory"])
            #expect(try await Self.types(database).count == 1, "a server that starts changes nothing of it")
            _ = try await queue.retry("inventory", actor: "ada", at: Date())
            _ = try await Self.commit([EntryDraft(world, device: "meter-3").issuing()], to: database)
            #expect(try await queue.take("inventory", limit: 10)?.deliveries.count == 2)
        }
    }

    @Test func `what nobody will send is removed after a month`() async throws {
        try await Self.with { database, world, queue in
            let devices = try (1...3).map { try EntryDraft(world, device: "meter-\($0)").issuing() }
            _ = try await Self.commit(devices, to: database)
            _ = try await database.owner.query(
                "update webhook_events set given_up_at = now() - interval '31 days' where id = 1"
            )
            _ = try await database.owner.query(
                "update webhook_events set give_up_at = now() - interval '31 days' where id = 2"
            )
            _ = try await RecordUpkeep(pool: database.server).removeStale(at: Date())
            #expect(try await database.number("select id from webhook_events") == 3)
        }
    }

    @Test func `those who send are woken by the transaction that has something to tell`() async throws {
        try await Self.with { database, world, _ in
            let changes = RecordChanges(database.serverConfiguration, logger: .quiet)
            let queue = PostgresWebhookQueue(pool: database.server, changes: changes)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await changes.run() }
                _ = try await Self.commit([EntryDraft(world).issuing()], to: database)
                for await _ in queue.wakeups() where try await queue.take("inventory", limit: 10) != nil { break }
                group.cancelAll()
            }
        }
    }
}
