import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

/// What a revocation leaves in PostgreSQL beside the device's standing.
struct RevocationRegisterTests {
    /// A database with one device that has renewed once: a present certificate and the one before it.
    private static func with(
        _ body: @Sendable (RecordDatabase, TestFleet, DeviceID) async throws -> Void
    ) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            var draft = try EntryDraft(world)
            draft.at = Date()
            let first = try draft.issuing()
            draft.replaces = first.issuance?.certificate.serialNumber
            draft.key = try .make()
            try await database.commit([first, draft.issuing()])
            try await body(database, world, try world.names(draft.device).device)
        }
    }

    private static func rows(_ database: RecordDatabase, _ query: PostgresQuery) async throws -> [String] {
        try await database.owner.query(query).map { try $0.decode(as: String.self) }
    }

    @Test func `every certificate and key of the device is revoked, with reason and one time, and released as it was`()
        async throws
    {
        try await Self.with { database, world, device in
            let register = PostgresRevocationRegister(pool: database.server)
            let states: PostgresQuery =
                "select status from certificates order by issued_at, serial = any (array(select current_serial from devices))"
            #expect(try await Self.rows(database, states).sorted() == ["superseded", "valid"])
            let at = Date()
            func change(_ change: StandingChange, after seconds: Double = 0) async throws -> RevocationOutcome? {
                try await register.change(
                    device,
                    of: world.fleet.id,
                    change,
                    actor: "operator ada",
                    at: at.addingTimeInterval(seconds)
                )
            }
            guard case .done(let held) = try await change(.revoke(.certificateHold, comment: "looked at")) else {
                Issue.record("not done")
                return
            }
            #expect(held.revocation?.reason == .certificateHold && held.revocation?.comment == "looked at")
            #expect(held.revocation?.by == "operator ada" && held.isRevoked)
            #expect(try await Self.rows(database, states) == ["revoked", "revoked"])
            #expect(
                try await Self.rows(database, "select reason from revocations") == [
                    "certificateHold", "certificateHold",
                ]
            )
            #expect(try await database.number("select count(*) from device_keys where revoked_at is not null") == 2)
            guard case .done(let released) = try await change(.release(comment: nil), after: 1) else {
                Issue.record("not released")
                return
            }
            #expect(released.revocation == nil && !released.isRevoked)
            #expect(try await Self.rows(database, states).sorted() == ["superseded", "valid"])
            #expect(
                try await Self.rows(
                    database,
                    "select c.status from certificates c join devices d on d.current_serial = c.serial"
                ) == ["valid"]
            )
            #expect(try await database.number("select count(*) from revocations") == 0)
            #expect(try await database.number("select count(*) from device_keys where revoked_at is not null") == 0)
            // R-08: a hold that becomes a key compromise keeps its date.
            _ = try await change(.revoke(.certificateHold, comment: nil), after: 2)
            guard case .done(let compromised) = try await change(.revoke(.keyCompromise, comment: nil), after: 3) else {
                Issue.record("not revoked")
                return
            }
            #expect(compromised.revocation?.reason == .keyCompromise)
            #expect(
                try await database.number(
                    "select count(*) from revocations r join devices d using (revoked_at) where reason = 'keyCompromise'"
                ) == 2
            )
            #expect(abs((compromised.revocation?.at ?? .distantPast).timeIntervalSince(at) - 2) < 0.001)
        }
    }

    @Test func `each change is in the audit log and in the outbox once, and what changes nothing is in neither`()
        async throws
    {
        try await Self.with { database, world, device in
            let register = PostgresRevocationRegister(pool: database.server)
            let changes: [StandingChange] = [
                .revoke(.certificateHold, comment: nil), .revoke(.certificateHold, comment: "again"),
                .release(comment: "it was in the van"), .release(comment: nil), .revoke(.superseded, comment: "sold"),
                .release(comment: nil), .revoke(.keyCompromise, comment: nil), .clear(comment: "bought back"),
                .clear(comment: nil),
            ]
            for change in changes {
                _ = try await register.change(
                    device,
                    of: world.fleet.id,
                    change,
                    actor: "operator ada",
                    at: TestClock.start
                )
            }
            let audit = try await Self.rows(
                database,
                "select action || ' ' || detail from audit where action like 'device.%' order by seq"
            )
            #expect(
                audit == [
                    "device.revoked certificateHold", "device.released it was in the van",
                    "device.revoked superseded: sold",
                    "device.revoked keyCompromise, before superseded",
                    "device.cleared revoked for keyCompromise: bought back",
                ]
            )
            let topic = "muster/v1/fleets/\(world.fleet.name)/revocations"
            let events = try await Self.rows(
                database,
                "select convert_from(payload, 'UTF8') from outbox where topic = \(topic) and not retained order by id"
            )
            let time = TestClock.start.formatted(.iso8601)
            let serial = try await Self.rows(database, "select encode(current_serial, 'hex') from devices")[0]
            let first = try await database.number("select min(seq) from audit where action like 'device.%'")
            func event(_ place: Int64, _ state: String, _ reason: String? = nil) -> String {
                let why = reason.map { "\"reason\":\"\($0)\"," } ?? ""
                return
                    #"{"at":"\#(time)","device":"meter-1","fleet":"\#(world.fleet.name)",\#(why)"sequence":\#(first + place),"serial":"\#(serial)","state":"\#(state)","type":"muster.revocation.v1"}"#
            }
            #expect(
                events == [
                    event(0, "revoked", "certificateHold"), event(1, "released"), event(2, "revoked", "superseded"),
                    event(3, "revoked", "keyCompromise"),
                ]
            )
        }
    }
}
