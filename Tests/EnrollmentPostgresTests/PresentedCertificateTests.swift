import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

/// What the record says of certificates that devices show to gateways.
struct PresentedCertificateTests {
    /// More than one group takes.
    private static let devices = 100

    private static func presented(
        _ pool: PostgresPool,
        _ database: RecordDatabase,
        _ changes: RecordChanges? = nil
    ) -> PostgresPresentedCertificates {
        PostgresPresentedCertificates(
            pool: pool,
            changes: changes ?? RecordChanges(database.serverConfiguration, logger: .quiet),
            logger: .quiet
        )
    }

    private static func found(
        _ entry: EnrollmentEntry,
        _ presented: PostgresPresentedCertificates
    ) async throws -> PresentedCertificate {
        let certificate = try #require(try entry.issuance?.certificate.signed())
        return try #require(
            try await presented.certificate(certificate.der, serialNumber: certificate.serialNumber)
        )
    }

    @Test func `many that are asked about at once are each told their own`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let entries = try (0..<Self.devices).map { try EntryDraft(world, device: "meter-\($0)").issuing() }
            try await database.commit(entries)
            let revoked = try world.names("meter-7").device
            _ = try await PostgresRevocationRegister(pool: database.server).change(
                revoked,
                of: world.fleet.id,
                .revoke(.keyCompromise, comment: nil),
                actor: "ada",
                at: TestClock.start
            )
            let presented = Self.presented(database.server, database)
            try await withThrowingTaskGroup(of: (String, PresentedCertificate?).self) { group in
                for entry in entries {
                    let issuance = try #require(entry.issuance)
                    let der = try issuance.certificate.signed().der
                    group.addTask {
                        let found = try await presented.certificate(
                            der,
                            serialNumber: issuance.certificate.serialNumber
                        )
                        return (issuance.device.text, found)
                    }
                    group.addTask {
                        // Its serial number is known, and its octets are another's.
                        let found = try await presented.certificate(
                            der + [0],
                            serialNumber: issuance.certificate.serialNumber
                        )
                        return ("", found)
                    }
                }
                let running = Task { try await presented.run() }
                for try await (device, found) in group {
                    #expect(found?.device.text ?? "" == device)
                    guard let found else { continue }
                    #expect(found.fleet == world.fleet.name && found.isTrusted)
                    #expect(found.revoked == (found.device == revoked ? .keyCompromise : nil))
                }
                running.cancel()
            }
        }
    }

    @Test func `what was said of a device holds until its own standing changes, or whom its fleet trusts`() async throws
    {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let entries = try ["meter-1", "meter-2"].map { try EntryDraft(world, device: $0).issuing() }
            try await database.commit(entries)
            let changes = RecordChanges(database.serverConfiguration, logger: .quiet)
            let presented = Self.presented(database.server, database, changes)
            let register = PostgresRevocationRegister(pool: database.server)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await changes.run() }
                group.addTask { try await presented.run() }
                // What is noticed at the start is all, by each of the two questions.
                try await eventually { presented.changes >= 2 }
                for change in [
                    StandingChange.revoke(.certificateHold, comment: nil), .release(comment: nil),
                    .revoke(.keyCompromise, comment: nil),
                ] {
                    let before = presented.changes
                    let (first, second) = (
                        try await Self.found(entries[0], presented), try await Self.found(entries[1], presented)
                    )
                    #expect(presented.holds(first, since: before) && presented.holds(second, since: before))
                    _ = try await register.change(
                        first.device,
                        of: world.fleet.id,
                        change,
                        actor: "ada",
                        at: TestClock.start
                    )
                    try await eventually { !presented.holds(first, since: before) }
                    #expect(presented.holds(second, since: before))
                    #expect(presented.holds(first, since: presented.changes))
                }
                let before = presented.changes
                let second = try await Self.found(entries[1], presented)
                try await database.superuser.pipeline(["delete from fleet_issuers", "notify muster_fleets"])
                try await eventually { !presented.holds(second, since: before) }
                #expect(try await !Self.found(entries[1], presented).isTrusted)
                group.cancelAll()
            }
        }
    }

    @Test func `while the record is away each is told so`() async throws {
        try await RecordDatabase.with { database in
            let closed = database.replica()
            closed.close()
            let presented = Self.presented(closed, database)
            let running = Task { try await presented.run() }
            await #expect(throws: RecordError.self) { try await presented.certificate([1], serialNumber: [1]) }
            running.cancel()
            try await running.value
            // Nobody asks any more, and nobody is left waiting.
            await #expect(throws: RecordError.self) { try await presented.certificate([1], serialNumber: [1]) }
        }
    }
}
