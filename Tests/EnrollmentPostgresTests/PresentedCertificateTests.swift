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
            let changes = RecordChanges(database.serverConfiguration, logger: .quiet)
            let statuses = PostgresCertificateStatuses(pool: database.server, changes: changes, logger: .quiet)
            let presented = PostgresPresentedCertificates(pool: database.server, statuses: statuses, logger: .quiet)
            try await withThrowingTaskGroup(of: (String, PresentedCertificate?).self) { group in
                for entry in entries {
                    let issuance = try #require(entry.issuance)
                    group.addTask {
                        let found = try await presented.certificate(
                            issuance.certificate.der,
                            serialNumber: issuance.certificate.serialNumber
                        )
                        return (issuance.device.text, found)
                    }
                    group.addTask {
                        // Its serial number is known, and its octets are another's.
                        let found = try await presented.certificate(
                            issuance.certificate.der + [0],
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

    @Test func `while the record is away each is told so`() async throws {
        try await RecordDatabase.with { database in
            let statuses = PostgresCertificateStatuses(
                pool: database.server,
                changes: RecordChanges(database.serverConfiguration, logger: .quiet),
                logger: .quiet
            )
            let closed = database.replica()
            closed.close()
            let presented = PostgresPresentedCertificates(pool: closed, statuses: statuses, logger: .quiet)
            let running = Task { try await presented.run() }
            await #expect(throws: RecordError.self) { try await presented.certificate([1], serialNumber: [1]) }
            running.cancel()
            try await running.value
            // Nobody asks any more, and nobody is left waiting.
            await #expect(throws: RecordError.self) { try await presented.certificate([1], serialNumber: [1]) }
        }
    }
}
