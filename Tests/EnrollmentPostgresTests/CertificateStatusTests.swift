import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

/// What the record says of certificates to whoever is asked about them.
struct CertificateStatusTests {
    @Test func `a certificate is good, revoked as its CRL says, good again, and unknown to other issuers`() async throws
    {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let changes = RecordChanges(database.serverConfiguration, logger: .quiet)
            let statuses = PostgresCertificateStatuses(pool: database.server, changes: changes, logger: .quiet)
            let register = PostgresRevocationRegister(pool: database.server)
            let device = try world.names("meter-1").device
            let entry = try EntryDraft(world, device: "meter-1").issuing()
            try await database.commit([entry])
            let serial = try #require(entry.issuance?.certificate.serialNumber)
            let other: [UInt8] = [0x4D, 1, 2, 3, 4, 5, 6, 7, 8]
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await changes.run() }
                group.addTask { try await statuses.run() }
                #expect(try await statuses.statuses(of: [other, serial], issuer: world.issuer) == [.unknown, .good])
                #expect(try await statuses.statuses(of: [], issuer: world.issuer).isEmpty)
                for (change, expected) in [
                    (
                        StandingChange.revoke(.certificateHold, comment: nil),
                        OCSPStatus.revoked(reason: 6, at: TestClock.start)
                    ),
                    (.release(comment: nil), .good),
                    (.revoke(.keyCompromise, comment: nil), .revoked(reason: 1, at: TestClock.start)),
                ] {
                    // Listening has begun, so the next rise is this change's, or its clock's.
                    try await eventually { statuses.changes > 0 }
                    let before = statuses.changes
                    _ = try await register.change(
                        device,
                        of: world.fleet.id,
                        change,
                        actor: "operator ada",
                        at: TestClock.start.addingTimeInterval(0.7)
                    )
                    try await eventually { statuses.changes > before }
                    #expect(try await statuses.statuses(of: [serial], issuer: world.issuer) == [expected])
                }
                #expect(try await statuses.statuses(of: [serial], issuer: try TestFleet().issuer) == [.unknown])
                group.cancelAll()
            }
        }
    }

    @Test func `an answer's time is in the record, and no server is given an earlier one`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let changes = RecordChanges(database.serverConfiguration, logger: .quiet)
            let replica = database.replica()
            defer { replica.close() }
            let one = PostgresCertificateStatuses(pool: database.server, changes: changes, logger: .quiet)
            let other = PostgresCertificateStatuses(pool: replica, changes: changes, logger: .quiet)
            let serial: [UInt8] = [0x4D, 1, 2, 3, 4, 5, 6, 7, 8]
            @Sendable func time(_ statuses: PostgresCertificateStatuses, _ seconds: Double) async throws -> Double {
                let asked = TestClock.start.addingTimeInterval(seconds)
                let answer = try await statuses.statuses(of: [serial], issuer: world.issuer, toSignAt: asked)
                #expect(answer.statuses == [.unknown])
                return answer.time.timeIntervalSince(TestClock.start)
            }
            #expect(try await time(one, 0) == 0)
            #expect(try await time(other, -3_600) == 0)
            #expect(try await time(other, 5) == 5)
            #expect(try await time(one, 1) == 5)
            // Many at once: each has at least the time that it asked for, and the latest stays.
            let times = try await withThrowingTaskGroup(of: (Double, Double).self) { group in
                for second in 6..<70 {
                    let statuses = second.isMultiple(of: 2) ? one : other
                    group.addTask { (Double(second), try await time(statuses, Double(second))) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(times.allSatisfy { $0.1 >= $0.0 && $0.1 <= 69 })
            for statuses in [one, other] { #expect(try await time(statuses, 0) == 69) }
            let latest = try await database.owner.query("select latest from ocsp_clock")
            #expect(try latest[0].decode(as: Date.self) == TestClock.start.addingTimeInterval(69))
        }
    }

    @Test func `that a responder was certified stands in the audit log`() async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            let changes = RecordChanges(database.serverConfiguration, logger: .quiet)
            let statuses = PostgresCertificateStatuses(pool: database.server, changes: changes, logger: .quiet)
            let responder = try OCSPResponder(issuer: world.issuer, now: TestClock.start)
            try await statuses.recordResponder(responder, issuer: world.issuer)
            let rows = try await database.owner.query(
                "select subject, detail from audit where action = 'ocsp-responder.certified' and actor = 'muster serve'"
            )
            #expect(try rows[0].decode(at: 0, as: String.self) == "example")
            #expect(try rows[0].decode(at: 1, as: String.self).contains(Hex.text(responder.serialNumber)))
            guard case .intact = try await PostgresAuditLog(pool: database.server).verify() else {
                Issue.record("the chain is broken")
                return
            }
        }
    }
}
