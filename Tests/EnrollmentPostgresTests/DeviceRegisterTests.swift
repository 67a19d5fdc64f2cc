import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

struct DeviceRegisterTests {
    /// A fleet of 30 devices that enrolled two at a time, each by an IDevID of its own but for five by one claim.
    private func with(
        _ body: @Sendable (RecordDatabase, TestFleet, PostgresDeviceRegister, [EnrollmentEntry]) async throws -> Void
    ) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let entries = try (0..<30).map { number in
                var draft = try EntryDraft(world, device: "\(number % 2 == 0 ? "meter" : "Valve")-\(number)")
                draft = number < 5 ? draft.byClaim(200) : draft.byIDevID(UInt8(number))
                draft.at = TestClock.start.addingTimeInterval(Double(number / 2) * 3_600)
                return try draft.issuing()
            }
            try await database.commit(entries)
            try await body(database, world, PostgresDeviceRegister(pool: database.server), entries)
        }
    }

    private func walk(
        _ selection: DeviceSelection,
        _ register: PostgresDeviceRegister,
        _ fleet: FleetID
    ) async throws -> [DeviceEntry] {
        var found: [DeviceEntry] = []
        var after: DevicePosition?
        while true {
            let page = try await register.devices(of: fleet, selection, after: after, limit: 4)
            guard let last = page.last else { return found }
            found += page
            let time: Date? =
                switch selection {
                case .enrolled: last.firstEnrolledAt
                case .expiring: last.notAfter
                case .named, .credential, .key, .serialNumber: nil
                }
            after = DevicePosition(time: time, device: last.device)
        }
    }

    @Test func `each selection walks all of its devices once, in its order`() async throws {
        try await with { _, world, register, entries in
            let fleet = world.fleet.id
            let all = entries.compactMap { $0.issuance?.device.text }
            let byName = all.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            let names = try await walk(.named(prefix: ""), register, fleet).map(\.device)
            #expect(names == byName)
            let prefixed = try await walk(.named(prefix: "meter-1"), register, fleet).map(\.device)
            #expect(prefixed == byName.filter { $0.hasPrefix("meter-1") })
            let enrolled = try await walk(.enrolled(from: nil, until: nil), register, fleet)
            #expect(Set(enrolled.map(\.device)).count == 30)
            #expect(enrolled.count == 30)
            #expect(enrolled.map(\.firstEnrolledAt) == enrolled.map(\.firstEnrolledAt).sorted(by: >))
            let from = TestClock.start.addingTimeInterval(2 * 3_600)
            let until = TestClock.start.addingTimeInterval(4 * 3_600)
            let window = try await walk(.enrolled(from: from, until: until), register, fleet)
            #expect(window.map(\.device) == ["meter-6", "Valve-7", "meter-4", "Valve-5"])
            let expiring = try await walk(.expiring(from: nil, until: nil), register, fleet)
            #expect(expiring.map(\.device) == expiring.sorted { $0.notAfter < $1.notAfter }.map(\.device))
            #expect(expiring.count == 30)
            let end = try #require(entries[4].issuance?.certificate.notAfter)
            let soon = try await walk(.expiring(from: nil, until: end), register, fleet)
            #expect(soon.map(\.device) == ["Valve-1", "meter-0", "Valve-3", "meter-2"])
            let batch = try await walk(.credential([UInt8](repeating: 200, count: 32)), register, fleet)
            #expect(batch.map(\.device) == ["Valve-1", "Valve-3", "meter-0", "meter-2", "meter-4"])
        }
    }

    @Test func `a device is found by its key and by its serial number, in its own fleet alone`() async throws {
        try await with { database, world, register, entries in
            let issuance = try #require(entries[7].issuance)
            let key = DeviceSelection.key(issuance.publicKeySHA256)
            let serial = DeviceSelection.serialNumber(issuance.certificate.serialNumber)
            for selection in [key, serial] {
                #expect(try await walk(selection, register, world.fleet.id).map(\.device) == ["Valve-7"])
                #expect(try await walk(selection, register, FleetID(2)).isEmpty)
            }
        }
    }

    @Test func `a device is told as it stands, with all its certificates, newest first`() async throws {
        try await with { database, world, register, entries in
            let first = try #require(entries[8].issuance)
            var next = try EntryDraft(world, device: "meter-8")
            next.replaces = first.certificate.serialNumber
            next.at = TestClock.start.addingTimeInterval(.day)
            let second = try next.issuing()
            try await database.commit([second])
            let entry = try #require(await register.device(first.device, of: world.fleet.id))
            #expect(entry.firstEnrolledAt == entries[8].attempt.at)
            #expect(entry.enrolledAt == next.at)
            #expect(entry.issuer == "example")
            #expect(entry.serialNumber == second.issuance?.certificate.serialNumber)
            #expect(entry.notAfter == second.issuance?.certificate.notAfter)
            #expect(entry.firstAnchor == "manufacturer")
            #expect(entry.firstCredentialSHA256 == [UInt8](repeating: 8, count: 32))
            #expect(!entry.isRevoked)
            #expect(entry.usedAt == nil && entry.seenAt == next.at)
            let certificates = try await register.certificates(of: first.device, fleet: world.fleet.id, limit: 10)
            #expect(certificates.map(\.status) == ["valid", "superseded"])
            let recorded = try [second.issuance, first].map { try $0?.certificate.signed().der }
            #expect(certificates.map(\.der) == recorded)
            #expect(try await register.fleet(world.fleet.name) == world.fleet.id)
            #expect(try await register.device(world.names("nobody").device, of: world.fleet.id) == nil)
        }
    }

    @Test func `what ends soon is counted by fleet, and what waits in the outbox`() async throws {
        try await with { database, world, _, entries in
            let gauges = RecordGauges(pool: database.server)
            let end = try #require(entries[0].issuance?.certificate.notAfter)
            #expect(try await gauges.expiring(withinDays: 1, at: end) == ["meters": 30])
            #expect(try await gauges.expiring(withinDays: 1, at: end.addingTimeInterval(.day)) == ["meters": 0])
            #expect(try await gauges.waitingEvents() == 1)
        }
    }
}
