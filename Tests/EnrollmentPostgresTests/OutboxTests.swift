import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import Synchronization
import TestKit
import Testing

struct OutboxTests {
    /// A database with the fleets `meters` and `valves`, and so with one event of each.
    private func with(_ body: @Sendable (RecordDatabase, TestFleet, PostgresOutbox) async throws -> Void) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            try await database.create(TestFleet(name: "valves", id: FleetID(2), issuerName: "valves"))
            let changes = RecordChanges(database.serverConfiguration, logger: .quiet)
            try await body(database, world, PostgresOutbox(pool: database.server, changes: changes))
        }
    }

    @Test func `each fleet's events go out in order, and once`() async throws {
        try await with { database, world, outbox in
            let next = IssuerRegistration(
                name: "next",
                chain: try world.root.signed("Next Issuing CA").chain(world.root)
            )
            try await database.administration(world).changeIssuers(
                of: world.fleet.name,
                signing: IssuerRegistration(name: world.issuer.name, chain: world.issuer.chain),
                alsoTrusted: [next],
                actor: "operator ada"
            )
            let seen = Mutex<[OutboxEvent]>([])
            func publish() async throws -> Int {
                try await outbox.publishWaiting(limit: 10) { event in seen.withLock { $0.append(event) } }
            }
            let waits = try await outbox.oldestWaitingSeconds() != nil
            #expect(waits)
            #expect(try await publish() == 3)
            #expect(try await publish() == 0)
            let stillWaits = try await outbox.oldestWaitingSeconds() != nil
            #expect(!stillWaits)
            let events = seen.withLock { $0 }
            #expect(
                events.map(\.topic) == [
                    "muster/v1/fleets/meters/truststore", "muster/v1/fleets/valves/truststore",
                    "muster/v1/fleets/meters/truststore",
                ]
            )
            #expect(events.count(where: \.retained) == 3)
            let versions = try events.filter { $0.topic.contains("meters") }.map { event in
                try TrustStoreMessage.verify(
                    event.payload,
                    anchors: [world.root.der],
                    fleet: world.fleet.name,
                    installedVersion: 0,
                    now: TestClock.start
                ).version
            }
            #expect(versions == [1, 2])
        }
    }

    @Test func `an event whose publication fails waits on, and holds back those of its fleet alone`() async throws {
        try await with { _, _, outbox in
            struct BrokerAway: Error {}
            @Sendable func refuse(_ event: OutboxEvent) async throws { throw BrokerAway() }
            await #expect(throws: BrokerAway.self) {
                _ = try await outbox.publishWaiting(limit: 10) { event in try await refuse(event) }
            }
            let seen = Mutex<[String]>([])
            let published = try await outbox.publishWaiting(limit: 10) { event in
                if event.topic.contains("valves") { throw BrokerAway() }
                seen.withLock { $0.append(event.topic) }
            }
            #expect(published == 1)
            #expect(try await outbox.publishWaiting(limit: 10) { _ in } == 1)
            #expect(seen.withLock { $0 } == ["muster/v1/fleets/meters/truststore"])
        }
    }

    @Test func `two takers share the work, and neither waits for the other nor takes what it holds`() async throws {
        try await with { database, _, outbox in
            let replica = database.replica()
            defer { replica.close() }
            let other = PostgresOutbox(
                pool: replica,
                changes: RecordChanges(database.serverConfiguration, logger: .quiet)
            )
            let seen = Mutex<[String]>([])
            // While the first taker is at its one event, the second one takes the other fleet's, and finds no more.
            let first = try await outbox.publishWaiting(limit: 1) { event in
                seen.withLock { $0.append(event.topic) }
                // A newer event of the first one's fleet is left, too.
                _ = try await database.owner.query(
                    """
                    insert into outbox (fleet_id, topic, payload, retained)
                    select id, 'muster/v1/fleets/meters/truststore', '', true from fleets where name = 'meters'
                    """
                )
                let second = try await other.publishWaiting(limit: 10) { event in
                    seen.withLock { $0.append(event.topic) }
                }
                #expect(second == 1)
            }
            #expect(first == 1)
            #expect(
                seen.withLock { $0 } == ["muster/v1/fleets/meters/truststore", "muster/v1/fleets/valves/truststore"]
            )
        }
    }

    @Test func `those who wait for events are woken by the transaction that makes one`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            let changes = RecordChanges(database.serverConfiguration, logger: .quiet)
            let outbox = PostgresOutbox(pool: database.server, changes: changes)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await changes.run() }
                try await database.create(world)
                for await _ in outbox.wakeups() {
                    if try await outbox.publishWaiting(limit: 10, { _ in }) == 1 { break }
                }
                group.cancelAll()
            }
        }
    }

    @Test func `an acknowledgement is noted for a device and version that are, and marks the certificate as used`()
        async throws
    {
        try await with { database, world, outbox in
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            let draft = try EntryDraft(world)
            try await database.running(commits) { _ = try await commits.commit(draft.issuing()) }
            let device = try world.names(draft.device).device
            func acknowledge(_ device: DeviceID, _ version: Int64, at: Date = TestClock.start) async throws -> Bool {
                try await outbox.acknowledge(fleet: world.fleet.name, device: device, version: version, at: at)
            }
            #expect(try await acknowledge(device, 7) == false)
            #expect(try await acknowledge(world.names("meter-2").device, 1) == false)
            let record = PostgresEnrollmentRecord(pool: database.server, commits: commits)
            #expect(try await record.situation(of: draft.question).device?.currentIsUsed == false)
            #expect(try await acknowledge(device, 1))
            #expect(try await acknowledge(device, 1, at: TestClock.start.addingTimeInterval(.day)))
            #expect(try await record.situation(of: draft.question).device?.currentIsUsed == true)
            #expect(
                try await database.number("select trust_store_version from devices where device_id = 'meter-1'") == 1
            )
        }
    }
}
