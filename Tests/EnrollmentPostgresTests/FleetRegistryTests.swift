import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

struct FleetRegistryTests {
    private func source(_ database: RecordDatabase) -> PostgresFleetSource {
        PostgresFleetSource(
            pool: database.server,
            changes: RecordChanges(database.serverConfiguration, logger: .quiet),
            logger: .quiet
        )
    }

    @Test func `a fleet is read as it was made: profile, anchors, issuer`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet(keyPolicy: KeyPolicy(families: [.p256, .rsa], rsaBitsMin: 3072))
            try await database.create(world)
            let fleets = try await source(database).fleets()
            #expect(fleets.count == 1)
            let found = try #require(fleets.first)
            let made = world.fleet.record
            #expect(found.id == made.id)
            #expect(found.name == made.name)
            #expect(found.policy == made.policy)
            #expect(found.profile == made.profile)
            #expect(found.issuerID == made.issuerID)
            #expect(found.anchors.map(\.id) == made.anchors.map(\.id))
            #expect(found.anchors.map(\.name) == made.anchors.map(\.name))
            #expect(found.anchors.map(\.certificate) == made.anchors.map(\.certificate))
            #expect(found.anchors.map(\.rule) == made.anchors.map(\.rule))
            #expect(found.trusted.map(\.chain) == made.trusted.map(\.chain))
            #expect(Fleet(found, issuers: [world.issuer]) != nil)
        }
    }

    @Test func `a profile or policy that was broken by hand takes its own fleet out of service and no other`()
        async throws
    {
        try await RecordDatabase.with { database in
            try await database.create(TestFleet())
            try await database.create(TestFleet(name: "valves", id: FleetID(2), issuerName: "valves"))
            try await database.owner.query(
                "update fleets set profile = jsonb_set(profile, '{lifetimeSeconds}', '1') where name = 'meters'"
            )
            #expect(try await source(database).fleets().map(\.name.text) == ["valves"])
        }
    }

    @Test func `a fleet is made once, with one trust store and one event`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            await #expect(throws: TestFleetError.self) { try await database.create(world) }
            #expect(try await database.number("select count(*) from trust_stores") == 1)
            #expect(try await database.number("select count(*) from outbox") == 1)
            #expect(try await database.number("select count(*) from issuers") == 1)
        }
    }

    @Test func `changes that meet each other both take effect, one after the other, without a gap`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let present = IssuerRegistration(name: world.issuer.name, chain: world.issuer.chain)
            let others = try (1...3).map { number in
                IssuerRegistration(
                    name: "next-\(number)",
                    chain: try world.root.signed("Next Issuing CA \(number)").chain(world.root)
                )
            }
            let administration = try database.administration(world)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for other in others {
                    group.addTask {
                        try await administration.changeIssuers(
                            of: world.fleet.name,
                            signing: present,
                            alsoTrusted: [other],
                            actor: "operator ada"
                        )
                    }
                }
                try await group.waitForAll()
            }
            let versions = try await database.owner.query("select version from trust_stores order by version")
                .map { try $0.decode(as: Int64.self) }
            #expect(versions == [1, 2, 3, 4])
            let standing = try await PostgresFleetRegistry(pool: database.server).standing(of: world.fleet.name)
            #expect(standing?.trustStore?.version == 4)
            #expect(standing?.trusted.count == 2)
            #expect(standing?.trustStore?.certificates.count == 3)
            #expect(try await PostgresAuditLog(pool: database.server).verify() == .intact(entries: 9))
        }
    }

    @Test func `of a fleet that is not there nothing is known`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            #expect(try await PostgresFleetRegistry(pool: database.server).standing(of: world.fleet.name) == nil)
        }
    }

    @Test func `an issuer that has expired can still be taken out of its fleet`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            // It was sound when it was taken in, and its time has run out since.
            let past = Date().addingTimeInterval(-10 * .day)
            let old = try TestAuthority.selfSigned("Old Root", now: past)
            let issuing = try old.signed("Old Issuing CA", lifetime: .seconds(86_400), now: past)
            let expired = IssuerRegistration(name: "old", chain: try issuing.chain(old))
            let present = IssuerRegistration(name: world.issuer.name, chain: world.issuer.chain)
            let administration = try database.administration(world)
            func change(alsoTrusted: [IssuerRegistration]) async throws {
                try await administration.changeIssuers(
                    of: world.fleet.name,
                    signing: present,
                    alsoTrusted: alsoTrusted,
                    actor: "operator ada"
                )
            }
            try await change(alsoTrusted: [expired])
            #expect(try await source(database).fleets().first?.trusted.map(\.name) == ["example"])
            try await change(alsoTrusted: [])
            #expect(try await database.number("select count(*) from fleet_issuers") == 1)
        }
    }
}
