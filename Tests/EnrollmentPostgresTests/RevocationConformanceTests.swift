import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import TestKit
import Testing

/// What an operator's revocation does to a record of enrollments, in memory as in PostgreSQL.
struct RevocationConformanceTests {
    /// Enrolls a device in a bench's record.
    private static func enrolled(_ bench: RecordBench) async throws -> (EntryDraft, DeviceID, serial: [UInt8]?) {
        let draft = try EntryDraft(bench.world)
        let entry = try draft.issuing()
        #expect(try await bench.record.commit(entry) == .recorded)
        return (draft, try bench.world.names(draft.device).device, entry.issuance?.certificate.serialNumber)
    }

    @Test(arguments: RecordKind.allCases)
    func `a revoked device is known as such, with its certificate and its key`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let (draft, device, _) = try await Self.enrolled(bench)
            #expect(try await bench.changeStanding(device, .revoke(.keyCompromise, comment: "stolen")) == .revoke)
            let situation = try await bench.record.situation(of: draft.question)
            #expect(situation.device?.standing == DeviceStanding(reason: .keyCompromise, changes: 1))
            #expect(situation.device?.current.isRevoked == true)
            #expect(situation.keyIsRevoked)
            let other = try EntryDraft(bench.world)
            #expect(try await bench.record.situation(of: other.question).keyIsRevoked == false)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `what was decided before a revocation is not recorded after it, nor after it has ended`(
        _ kind: RecordKind
    ) async throws {
        try await kind.with { bench in
            let (draft, device, serial) = try await Self.enrolled(bench)
            var renewal = draft
            renewal.replaces = serial
            let decided = try renewal.issuing()
            _ = try await bench.changeStanding(device, .revoke(.certificateHold, comment: nil))
            #expect(try await bench.record.commit(decided) == .lostRace)
            _ = try await bench.changeStanding(device, .release(comment: nil))
            #expect(try await bench.record.commit(decided) == .lostRace)
            renewal.standingChanges = 2
            #expect(try await bench.record.commit(renewal.issuing()) == .recorded)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a release gives back what the hold took, and no more`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let (draft, device, _) = try await Self.enrolled(bench)
            let before = try await bench.record.situation(of: draft.question).device?.current
            #expect(try await bench.changeStanding(device, .release(comment: nil)) == .nothing)
            #expect(try await bench.changeStanding(device, .revoke(.certificateHold, comment: nil)) == .revoke)
            #expect(try await bench.changeStanding(device, .clear(comment: nil)) == .refuse)
            #expect(try await bench.changeStanding(device, .release(comment: nil)) == .release)
            let after = try await bench.record.situation(of: draft.question)
            #expect(after.device?.current == before && !after.keyIsRevoked)
            #expect(after.device?.standing == DeviceStanding(changes: 2))
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a device that comes back after it was cleared has a new key, and its old one stays revoked`(
        _ kind: RecordKind
    ) async throws {
        try await kind.with { bench in
            let (draft, device, serial) = try await Self.enrolled(bench)
            _ = try await bench.changeStanding(device, .revoke(.superseded, comment: nil))
            #expect(try await bench.changeStanding(device, .release(comment: nil)) == .refuse)
            #expect(try await bench.changeStanding(device, .clear(comment: nil)) == .clear)
            let cleared = try await bench.record.situation(of: draft.question)
            #expect(cleared.keyIsRevoked && cleared.device?.current.isRevoked == true)
            #expect(cleared.device?.standing == DeviceStanding(changes: 2))
            var back = try EntryDraft(bench.world)
            (back.replaces, back.standingChanges) = (serial, 2)
            #expect(try await bench.record.commit(back.issuing()) == .recorded)
            let now = try await bench.record.situation(of: back.question)
            #expect(now.device?.current.isRevoked == false && !now.keyIsRevoked)
            #expect(try await bench.record.situation(of: draft.question).keyIsRevoked)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a revoked device that is let in again is revoked no more`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let (_, device, serial) = try await Self.enrolled(bench)
            _ = try await bench.changeStanding(device, .revoke(.unspecified, comment: nil))
            var back = try EntryDraft(bench.world)
            (back.replaces, back.standingChanges) = (serial, 1)
            #expect(try await bench.record.commit(back.issuing()) == .recorded)
            #expect(
                try await bench.record.situation(of: back.question).device?.standing == DeviceStanding(changes: 1)
            )
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a revocation ends what an operator had approved before`(_ kind: RecordKind) async throws {
        try await kind.with(TestFleet(policy: .approval)) { bench in
            let (draft, device, _) = try await Self.enrolled(bench)
            let other = try EntryDraft(bench.world)
            #expect(try await bench.record.commit(other.asking(.keyChange)) == .recorded)
            try await bench.decide(device, try other.key.sha256, true)
            #expect(try await bench.record.situation(of: other.question).approval == .approved)
            _ = try await bench.changeStanding(device, .revoke(.unspecified, comment: nil))
            #expect(try await bench.record.situation(of: other.question).approval == nil)
            #expect(try await bench.record.situation(of: draft.question).device?.standing.reason == .unspecified)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a reason changes only to what is worse, and a device that never came cannot be revoked`(
        _ kind: RecordKind
    ) async throws {
        try await kind.with { bench in
            let (draft, device, _) = try await Self.enrolled(bench)
            let steps: [(RevocationReason, StandingChange.Effect, RevocationReason)] = [
                (.certificateHold, .revoke, .certificateHold), (.certificateHold, .nothing, .certificateHold),
                (.superseded, .restate, .superseded), (.cessationOfOperation, .nothing, .superseded),
                (.certificateHold, .nothing, .superseded), (.keyCompromise, .restate, .keyCompromise),
                (.superseded, .nothing, .keyCompromise), (.keyCompromise, .nothing, .keyCompromise),
            ]
            for (reason, effect, after) in steps {
                #expect(try await bench.changeStanding(device, .revoke(reason, comment: nil)) == effect)
                #expect(try await bench.record.situation(of: draft.question).device?.standing.reason == after)
            }
            let stranger = try bench.world.names("meter-9").device
            #expect(try await bench.changeStanding(stranger, .revoke(.unspecified, comment: nil)) == nil)
        }
    }
}
