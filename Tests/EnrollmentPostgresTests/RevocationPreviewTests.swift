import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

/// What the record tells before many devices are revoked.
struct RevocationPreviewTests {
    /// A day after most devices enrolled.
    private static let now = TestClock.start.addingTimeInterval(.day)

    private struct Scene: Sendable {
        let database: RecordDatabase
        let world: TestFleet

        func preview(
            for reason: RevocationReason = .unspecified,
            at: Date = RevocationPreviewTests.now,
            _ choose: (inout RevocationGroup) throws -> Void = { _ in }
        ) async throws -> RevocationPreview {
            var group = RevocationGroup()
            try choose(&group)
            return try await PostgresRevocationPreview(pool: database.server)
                .preview(of: group, fleet: world.fleet.id, for: reason, at: at)
        }

        func enroll(_ device: String, _ change: (inout EntryDraft) throws -> Void = { _ in }) async throws {
            var draft = try EntryDraft(world, device: device)
            try change(&draft)
            try await database.commit([draft.issuing()])
        }

        func change(_ device: String, _ change: StandingChange) async throws {
            _ = try await PostgresRevocationRegister(pool: database.server).change(
                try world.names(device).device,
                of: world.fleet.id,
                change,
                actor: "operator ada",
                at: TestClock.start.addingTimeInterval(3_600)
            )
        }

        func acknowledge(_ device: String, at: Date) async throws {
            let changes = RecordChanges(database.serverConfiguration, logger: .quiet)
            let isKnown = try await PostgresOutbox(pool: database.server, changes: changes).acknowledge(
                fleet: world.fleet.name,
                device: try world.names(device).device,
                version: 1,
                at: at
            )
            #expect(isKnown)
        }

        func names(_ names: String...) throws -> [DeviceID] { try names.map { try world.names($0).device } }
    }

    private static func with(_ body: @Sendable (Scene) async throws -> Void) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            try await body(Scene(database: database, world: world))
        }
    }

    private static func sha256(_ octet: UInt8) -> [UInt8] { [UInt8](repeating: octet, count: 32) }

    // MARK: Which devices

    @Test func `a device counts as seen lately by whatever proves it, and by nothing that others say of it`()
        async throws
    {
        try await Self.with { scene in
            for device in ["gateway-1", "meter-ack", "meter-asking", "meter-old"] { try await scene.enroll(device) }
            try await scene.enroll("meter-late") { $0.at = Self.now.addingTimeInterval(-301) }
            try await scene.enroll("meter-new") { $0.at = Self.now.addingTimeInterval(-299) }
            try await scene.acknowledge("meter-ack", at: Self.now.addingTimeInterval(-10))
            _ = try await PostgresAgents(pool: scene.database.server).report(
                AgentReport(trustStoreVersion: nil, lists: [:], sessionsThrough: nil, faults: 0),
                of: scene.world.names("gateway-1"),
                at: Self.now.addingTimeInterval(-20)
            )
            var renewing = try EntryDraft(scene.world, device: "meter-asking")
            renewing.at = Self.now.addingTimeInterval(-5)
            var refused = renewing.attempt
            refused.device = try scene.world.names("meter-asking").device
            refused.credentialKind = .ldevid
            refused.refusal = Refusal(.keyNotAccepted, "too short")
            // Whoever has a claim can name any device.
            var claiming = try EntryDraft(scene.world, device: "meter-old")
            claiming.at = Self.now.addingTimeInterval(-1)
            try await scene.database.commit([EnrollmentEntry(attempt: refused, issuance: nil), claiming.marking()])

            let preview = try await scene.preview()
            #expect(preview.devices == 6 && preview.already == 0 && preview.valid == 6)
            #expect(preview.lately == 4)
            #expect(preview.latest.map(\.device) == ["meter-asking", "meter-ack", "gateway-1", "meter-new"])
            #expect(
                preview.sample.map(\.device)
                    == ["gateway-1", "meter-ack", "meter-asking", "meter-late", "meter-new", "meter-old"]
            )
            #expect(preview.sample.last?.seenAt == TestClock.start)
            #expect(preview.sample[2].seenAt == Self.now.addingTimeInterval(-5))
            let later = try await scene.preview(at: Self.now.addingTimeInterval(600))
            #expect(later.lately == 0 && later.latest.isEmpty && later.devices == 6)
        }
    }

    @Test func `each reason tells of just those devices that it would change`() async throws {
        try await Self.with { scene in
            let reasons = RevocationReason.allCases
            try await scene.enroll("meter-none")
            for reason in reasons {
                try await scene.enroll("meter-\(reason.rawValue)")
                try await scene.change("meter-\(reason.rawValue)", .revoke(reason, comment: nil))
            }
            for wanted in reasons {
                let preview = try await scene.preview(for: wanted)
                let changed = reasons.filter { wanted.replaces($0) }
                #expect(preview.devices == Int64(changed.count) + 1, "\(wanted)")
                #expect(preview.already == Int64(reasons.count - changed.count), "\(wanted)")
                #expect(preview.valid == 1, "\(wanted)")
                #expect(
                    Set(preview.sample.map(\.device)) == Set(["meter-none"] + changed.map { "meter-\($0.rawValue)" }),
                    "\(wanted)"
                )
            }
        }
    }

    @Test func `a group is what all of its members hold for`() async throws {
        try await Self.with { scene in
            for device in ["held", "revoked", "cleared", "expired"] {
                try await scene.enroll(device) { $0 = $0.byClaim(200) }
            }
            try await scene.change("held", .revoke(.certificateHold, comment: nil))
            try await scene.change("revoked", .revoke(.superseded, comment: nil))
            try await scene.change("cleared", .revoke(.superseded, comment: nil))
            try await scene.change("cleared", .clear(comment: nil))
            let later = TestClock.start.addingTimeInterval(10 * .day)
            try await scene.enroll("valid") {
                $0 = $0.byIDevID(3)
                $0.at = later
            }
            try await scene.acknowledge("valid", at: later.addingTimeInterval(60))
            // Certificates live for 90 days.
            let end = TestClock.start.addingTimeInterval(91 * .day)
            func chosen(_ choose: @Sendable (inout RevocationGroup) throws -> Void) async throws -> [String] {
                let preview = try await scene.preview(for: .keyCompromise, at: end, choose)
                #expect(preview.devices == Int64(preview.sample.count) && preview.already == 0)
                return preview.sample.map(\.device)
            }
            for state in RevocationGroup.State.allCases {
                #expect(try await chosen { $0.state = state } == [state.rawValue], "\(state)")
            }
            let old = ["cleared", "expired", "held", "revoked"]
            #expect(try await chosen { $0.anchor = "claims" } == old)
            #expect(try await chosen { $0.anchor = "nobody" }.isEmpty)
            #expect(try await chosen { $0.credentialSHA256 = Self.sha256(200) } == old)
            #expect(try await chosen { $0.issuer = "example" } == old + ["valid"])
            #expect(try await chosen { $0.issuer = "nobody" }.isEmpty)
            #expect(try await chosen { $0.enrolledFrom = later } == ["valid"])
            #expect(try await chosen { $0.enrolledUntil = later } == old)
            #expect(try await chosen { $0.usedFrom = later } == ["valid"])
            #expect(try await chosen { $0.usedUntil = later } == old)
            let acknowledged = later.addingTimeInterval(60)
            #expect(try await chosen { $0.seenFrom = acknowledged } == ["valid"])
            #expect(try await chosen { $0.seenFrom = acknowledged.addingTimeInterval(1) }.isEmpty)
            #expect(try await chosen { $0.seenUntil = acknowledged } == old)
            #expect(try await chosen { $0.prefix = "re" } == ["revoked"])
            #expect(try await chosen { $0.prefix = "" }.count == 5)
            #expect(try await chosen { ($0.prefix, $0.anchor) = ("v", "claims") }.isEmpty)
            #expect(try await chosen { $0.devices = try scene.names("held", "valid") } == ["held", "valid"])
            #expect(try await chosen { $0.devices = [] }.isEmpty)
        }
    }

    @Test func `names that are no device's are told`() async throws {
        try await Self.with { scene in
            try await scene.enroll("meter-1")
            let preview = try await scene.preview {
                $0.devices =
                    try scene.names("nobody", "meter-1")
                    + (0..<30).map { try scene.world.names("x-\(100 + $0)").device }
            }
            #expect(preview.devices == 1 && preview.unknown == 31)
            #expect(preview.unknownNames.count == RevocationPreview.unknownMax && preview.unknownNames[0] == "nobody")
        }
    }

    // MARK: What else came by their credentials

    @Test func `a claim is told with the other devices that came by it, and how to close it`() async throws {
        try await Self.with { scene in
            for number in 1...4 { try await scene.enroll("meter-\(number)") { $0 = $0.byClaim(200) } }
            try await scene.enroll("meter-5") { $0 = $0.byClaim(201) }
            try await scene.enroll("meter-6") { $0 = $0.byIDevID(7) }
            try await scene.change("meter-3", .revoke(.superseded, comment: nil))
            try await scene.change("meter-4", .revoke(.certificateHold, comment: nil))
            func some() async throws -> RevocationPreview {
                try await scene.preview { $0.devices = try scene.names("meter-1", "meter-3", "meter-6") }
            }
            let preview = try await some()
            #expect(preview.devices == 2 && preview.already == 1)
            let claim = try #require(preview.credentials.first)
            #expect(preview.credentials.count == 1 && preview.furtherCredentials == 0)
            #expect(claim.sha256 == Self.sha256(200) && claim.kind == .claim && claim.anchor == "claims")
            #expect(claim.group == .init(active: 1, revoked: 1) && claim.others == .init(active: 1, revoked: 1))
            #expect(claim.elsewhere.isEmpty && claim.closed == nil)
            let command = "muster credential block \(Hex.text(Self.sha256(200))) --fleet meters"
            #expect(claim.closingCommand(in: scene.world.fleet.name) == command)

            let whole = try await scene.preview()
            #expect(whole.credentials.map(\.sha256) == [Self.sha256(200), Self.sha256(201)])
            #expect(whole.credentials.allSatisfy { $0.others == .init(active: 0, revoked: 0) })
            #expect(whole.credentials[0].group == .init(active: 2, revoked: 2))

            _ = try await PostgresBootstrapRegister(pool: scene.database.server).change(
                Self.sha256(200),
                of: scene.world.fleet.id,
                .block(comment: nil),
                actor: "operator ada",
                at: Self.now
            )
            let closed = try await some().credentials[0]
            #expect(closed.closed?.reason == .credentialBlocked)
            #expect(closed.closingCommand(in: scene.world.fleet.name) == nil)
        }
    }

    @Test func `the credential that the group is chosen by is told, whoever came by it`() async throws {
        try await Self.with { scene in
            for number in 1...3 { try await scene.enroll("meter-\(number)") { $0 = $0.byClaim(200) } }
            try await scene.enroll("meter-7") { $0 = $0.byIDevID(7) }
            func told(_ octet: UInt8, prefix: String? = nil) async throws -> RevocationPreview.Credential {
                let preview = try await scene.preview {
                    ($0.credentialSHA256, $0.prefix) = (Self.sha256(octet), prefix)
                }
                #expect(preview.credentials.count == 1)
                return try #require(preview.credentials.first)
            }
            let claim = try await told(200)
            #expect(claim.group.active == 3 && claim.others.active == 0 && claim.closed == nil)
            let part = try await told(200, prefix: "meter-1")
            #expect(part.group.active == 1 && part.others.active == 2)
            let none = try await told(200, prefix: "valve")
            #expect(none.group.active == 0 && none.others.active == 3)
            let idevid = try await told(7)
            #expect(idevid.kind == .idevid && idevid.anchor == "manufacturer")
            #expect(idevid.group.active == 1 && idevid.others.active == 0)
            let unseen = try await told(9)
            #expect(unseen.kind == nil && unseen.anchor == nil && unseen.closed == nil)
            #expect(unseen.group == .init(active: 0, revoked: 0) && unseen.others == .init(active: 0, revoked: 0))
        }
    }

    @Test func `a claim of an anchor that the fleet has no more is closed, and other fleets are told`() async throws {
        try await Self.with { scene in
            let valves = try TestFleet(name: "valves", id: FleetID(2), issuerName: "valves")
            try await scene.database.create(valves)
            try await scene.enroll("meter-1") { $0 = $0.byClaim(200) }
            for number in 1...2 {
                let draft = try EntryDraft(valves, device: "valve-\(number)").byClaim(200)
                try await scene.database.commit([draft.issuing()])
            }
            let open = try await scene.preview().credentials
            #expect(open.map(\.elsewhere) == [[.init(fleet: "valves", devices: 2)]])
            #expect(open[0].closed == nil && open[0].others.active == 0)
            _ = try await scene.database.owner.query("update anchors set removed_at = now() where name = 'claims'")
            #expect(try await scene.preview().credentials.first?.closed?.reason == .certificateNotTrusted)
        }
    }

    @Test func `of many claims those with the most other devices are told, and the rest is counted`() async throws {
        try await Self.with { scene in
            for number in 0..<23 { try await scene.enroll("a-\(number)") { $0 = $0.byClaim(UInt8(100 + number)) } }
            for number in 0..<2 { try await scene.enroll("b-\(number)") { $0 = $0.byClaim(122) } }
            try await scene.enroll("b-2") { $0 = $0.byClaim(121) }
            let preview = try await scene.preview { $0.prefix = "a-" }
            #expect(preview.credentials.count == RevocationPreview.credentialsMax && preview.furtherCredentials == 3)
            #expect(preview.credentials.prefix(3).map(\.sha256) == [122, 121, 100].map(Self.sha256))
            #expect(preview.credentials.prefix(3).map(\.others.active) == [2, 1, 0])
        }
    }
}
