import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

/// A fleet brought to what an operator wrote down.
struct FleetUpdateTests {
    private struct Bench: Sendable {
        let database: RecordDatabase
        let world: TestFleet
        let registry: PostgresFleetRegistry
        let source: PostgresFleetSource

        func anchor(
            _ name: String,
            _ authority: TestAuthority,
            _ rule: DeviceIDRule = .subjectSerialNumber,
            keyChange: KeyChangeRule? = nil,
            limits: AnchorLimits = AnchorLimits()
        ) -> FleetCreation.Anchor {
            .init(name: name, certificate: authority.der, rule: rule, keyChange: keyChange, limits: limits)
        }

        func update(
            policy: EnrollmentPolicy = .open,
            retry: Duration = EnrollmentPolicy.approvalRetryStandard,
            _ anchors: [FleetCreation.Anchor],
            trustStore: TrustStoreVersion? = nil
        ) async throws -> Bool {
            let fleet = FleetCreation(
                name: world.fleet.name,
                policy: policy,
                approvalRetry: retry,
                profile: world.fleet.profile,
                issuer: world.fleet.record.issuerID,
                anchors: anchors
            )
            return try await registry.update(
                fleet,
                trusted: [world.fleet.record.issuerID],
                trustStore: trustStore,
                actor: "operator ada",
                at: TestClock.start
            )
        }

        var presentAnchors: [BootstrapAnchor] {
            get async throws { try await source.fleets().first?.anchors ?? [] }
        }

        var newest: AuditEntry? {
            get async throws {
                try await PostgresAuditLog(pool: database.server).entries(subject: nil, before: nil, limit: 1).first?
                    .entry
            }
        }
    }

    private func with(_ body: @Sendable (Bench) async throws -> Void) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let source = PostgresFleetSource(
                pool: database.server,
                changes: RecordChanges(database.serverConfiguration, logger: .quiet),
                logger: .quiet
            )
            try await body(
                Bench(
                    database: database,
                    world: world,
                    registry: PostgresFleetRegistry(pool: database.server),
                    source: source
                )
            )
        }
    }

    @Test func `policy, wait, rules and limits are read as they were written`() async throws {
        try await with { bench in
            let limits = AnchorLimits(
                whole: .init(devicesMax: 1_000, devicesPerHour: 60, validFrom: TestClock.start),
                credential: .init(devicesMax: 100, validUntil: TestClock.start.addingTimeInterval(.day))
            )
            let pattern = try #require(DeviceIDPattern("urn:example:device:{id}"))
            let anchors = [
                bench.anchor("manufacturer", bench.world.manufacturer, .subjectAltNameURI(pattern), limits: limits),
                bench.anchor("claims", bench.world.claims, .requestCommonName, keyChange: .approve),
            ]
            #expect(try await bench.update(policy: .allowlist, retry: .seconds(90), anchors))
            let fleet = try #require(await bench.source.fleets().first)
            #expect(fleet.policy == .allowlist)
            #expect(fleet.approvalRetry == .seconds(90))
            #expect(fleet.anchors.map(\.name) == ["manufacturer", "claims"])
            #expect(fleet.anchors.map(\.id) == [TestFleet.manufacturerID, TestFleet.claimsID])
            #expect(fleet.anchors[0].rule == .subjectAltNameURI(pattern))
            #expect(fleet.anchors[0].limits == limits)
            #expect(fleet.anchors[1].keyChange == .approve)
            let said = try #require(await bench.newest)
            #expect(said.action == "fleet.changed")
            #expect(
                said.detail == "policy open to allowlist; approval retry 60 s to 90 s; anchors removed: "
                    + "other-manufacturer; anchors changed: claims, manufacturer"
            )
        }
    }

    @Test func `the same once more changes nothing and says nothing`() async throws {
        try await with { bench in
            let anchors = [bench.anchor("claims", bench.world.claims, .requestCommonName)]
            #expect(try await bench.update(anchors))
            let count = try await bench.database.number("select count(*) from audit")
            #expect(try await bench.update(anchors))
            #expect(try await bench.database.number("select count(*) from audit") == count)
        }
    }

    @Test func `an anchor with another certificate is another one; one that comes back is still blocked`() async throws
    {
        try await with { bench in
            let register = PostgresBootstrapRegister(pool: bench.database.server)
            let claims = bench.anchor("claims", bench.world.claims, .requestCommonName)
            let block = try await register.setBlock(
                ofAnchor: "claims",
                fleet: bench.world.fleet.id,
                isBlocked: true,
                comment: "stolen",
                actor: "operator ada",
                at: TestClock.start
            )
            #expect(block?.block == BlockEntry(at: TestClock.start, by: "operator ada", comment: "stolen"))
            let other = bench.anchor("claims", bench.world.manufacturer, .requestCommonName)
            #expect(try await bench.update([other]))
            #expect(try await bench.newest?.detail.contains("with another certificate: claims") == true)
            #expect(try await bench.presentAnchors.map(\.id).contains(TestFleet.claimsID) == false)
            #expect(try await register.anchors(of: bench.world.fleet.id).map(\.block) == [nil])
            #expect(try await bench.update([claims]))
            #expect(try await bench.presentAnchors.map(\.id) == [TestFleet.claimsID])
            #expect(try await register.anchors(of: bench.world.fleet.id).first?.block?.comment == "stolen")
        }
    }

    @Test func `a removed anchor lets nobody in, also where a server has not heard of it yet`() async throws {
        try await with { bench in
            let commits = CommitGroup(pool: bench.database.server, logger: .quiet)
            let record = PostgresEnrollmentRecord(pool: bench.database.server, commits: commits)
            let question = try EntryDraft(bench.world).byClaim().bootstrapQuestion()
            #expect(try await record.situation(of: question).standing?.anchor.isBlocked == false)
            #expect(try await bench.update([bench.anchor("manufacturer", bench.world.manufacturer)]))
            #expect(try await record.situation(of: question).standing?.anchor.isBlocked == true)
        }
    }

    @Test func `an update goes through only with the trust store's next version, and of a fleet that is`() async throws
    {
        try await with { bench in
            let present = try #require(await bench.registry.standing(of: bench.world.fleet.name)?.trustStore)
            func version(_ number: Int64) -> TrustStoreVersion {
                TrustStoreVersion(
                    version: number,
                    issuedAt: present.issuedAt,
                    expiresAt: present.expiresAt,
                    message: present.message,
                    messageSHA256: present.messageSHA256,
                    certificates: present.certificates
                )
            }
            let anchors = [bench.anchor("claims", bench.world.claims, .requestCommonName)]
            #expect(try await bench.update(policy: .approval, anchors, trustStore: version(3)) == false)
            #expect(try await bench.source.fleets().first?.policy == .open)
            #expect(try await bench.update(policy: .approval, anchors, trustStore: version(2)))
            #expect(try await bench.source.fleets().first?.policy == .approval)
            #expect(try await bench.database.number("select count(*) from outbox") == 2)
            let other = try TestFleet(name: "valves")
            let fleet = FleetCreation(
                name: other.fleet.name,
                policy: .open,
                profile: other.fleet.profile,
                issuer: bench.world.fleet.record.issuerID,
                anchors: []
            )
            let changed = try await bench.registry.update(
                fleet,
                trusted: [],
                trustStore: nil,
                actor: "operator ada",
                at: TestClock.start
            )
            #expect(!changed)
        }
    }
}
