import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import TestKit
import Testing

/// What every record must do with what operators decide; the fake is held to it as PostgreSQL is.
struct OperatorConformanceTests {
    @Test(arguments: RecordKind.allCases)
    func `a registration is known with its pins until it is removed`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let draft = try EntryDraft(bench.world)
            let device = try bench.world.names(draft.device).device
            #expect(try await bench.record.situation(of: draft.bootstrapQuestion()).registration == nil)
            let pinned = Registration(publicKeySHA256: try draft.key.sha256, idevidSHA256: draft.credential)
            for registration in [Registration(), pinned] {
                try await bench.register(device, registration)
                #expect(try await bench.record.situation(of: draft.bootstrapQuestion()).registration == registration)
                #expect(try await bench.record.situation(of: draft.question).registration == registration)
            }
            try await bench.register(device, nil)
            #expect(try await bench.record.situation(of: draft.bootstrapQuestion()).registration == nil)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `who asks for approval waits until an operator says`(_ kind: RecordKind) async throws {
        try await kind.with(TestFleet(policy: .approval)) { bench in
            let draft = try EntryDraft(bench.world)
            let before = try await bench.record.situation(of: draft.bootstrapQuestion())
            #expect(before.approval == nil)
            #expect(before.pending == 0)
            #expect(try await bench.record.commit(draft.asking()) == .recorded)
            #expect(try await bench.record.commit(draft.asking()) == .recorded)
            #expect(try await bench.record.situation(of: draft.bootstrapQuestion()).approval == .pending)
            // The same device with another key is another question.
            let other = try EntryDraft(bench.world)
            let asked = try await bench.record.situation(of: other.bootstrapQuestion())
            #expect(asked.approval == nil)
            #expect(asked.pending == 1)
            let device = try bench.world.names(draft.device).device
            for approve in [true, false] {
                try await bench.decide(device, draft.key.sha256, approve)
                #expect(
                    try await bench.record.situation(of: draft.bootstrapQuestion()).approval
                        == (approve ? .approved : .rejected)
                )
            }
            #expect(try await bench.record.situation(of: other.bootstrapQuestion()).pending == 0)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a block of an anchor or of a credential is seen by the next request, and so is its end`(
        _ kind: RecordKind
    ) async throws {
        try await kind.with { bench in
            let draft = try EntryDraft(bench.world).byClaim()
            func standing() async throws -> BootstrapStanding? {
                try await bench.record.situation(of: draft.bootstrapQuestion()).standing
            }
            for isBlocked in [true, false] {
                try await bench.blockAnchor(TestFleet.claimsID, isBlocked)
                #expect(try await standing()?.anchor.isBlocked == isBlocked)
                #expect(try await standing()?.credential.isBlocked == false)
            }
            for change in [CredentialChange.block(comment: "stolen"), .unblock] {
                try await bench.changeCredential(draft.credential, change)
                #expect(try await standing()?.credential.isBlocked == (change != .unblock))
                #expect(try await standing()?.anchor.isBlocked == false)
            }
            let limits = BootstrapLimits(devicesMax: 3, devicesPerHour: 2, validFrom: TestClock.start)
            try await bench.changeCredential(draft.credential, .limit(limits))
            #expect(try await standing()?.credentialLimits == limits)
            #expect(try await bench.record.situation(of: draft.question).standing == nil)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `devices are counted by claim and by anchor, in all and in the last hour`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            for number in 0..<5 {
                var draft = try EntryDraft(bench.world, device: "meter-\(number)").byClaim(number < 3 ? 1 : 2)
                draft.at = TestClock.start.addingTimeInterval(Double(number) * 60)
                #expect(try await bench.record.commit(draft.issuing()) == .recorded)
            }
            let draft = try EntryDraft(bench.world, device: "meter-9").byClaim(1)
            func standing(minutes: Double) async throws -> BootstrapStanding? {
                let at = TestClock.start.addingTimeInterval(minutes * 60)
                return try await bench.record.situation(of: draft.bootstrapQuestion(at: at)).standing
            }
            #expect(
                try await standing(minutes: 5)
                    == BootstrapStanding(
                        anchor: .init(devices: 5, devicesLastHour: 5),
                        credential: .init(devices: 3, devicesLastHour: 3)
                    )
            )
            #expect(try await standing(minutes: 62)?.anchor.devicesLastHour == 3)
            #expect(try await standing(minutes: 62)?.credential.devicesLastHour == 1)
            #expect(try await standing(minutes: 90)?.anchor == .init(devices: 5, devicesLastHour: 0))
        }
    }

    /// Where a limit of ten devices stands.
    enum Limit: String, CaseIterable, Sendable {
        case credentialInAll, credentialPerHour, anchorInAll, anchorPerHour

        func draft(_ draft: EntryDraft, credential: UInt8) -> EntryDraft {
            switch self {
            case .credentialInAll: draft.byClaim(credential, credentialLimits: .init(devicesMax: 10))
            case .credentialPerHour: draft.byClaim(credential, credentialLimits: .init(devicesPerHour: 10))
            case .anchorInAll: draft.byClaim(credential, anchorLimits: .init(devicesMax: 10))
            case .anchorPerHour: draft.byClaim(credential, anchorLimits: .init(devicesPerHour: 10))
            }
        }
    }

    @Test(arguments: RecordKind.allCases, Limit.allCases)
    func `of 40 devices at once, a limit of 10 lets in 10`(_ kind: RecordKind, _ limit: Limit) async throws {
        try await kind.with { bench in
            let entries = try (0..<40).map {
                try limit.draft(EntryDraft(bench.world, device: "meter-\($0)"), credential: 7).issuing()
            }
            let outcomes = try await withThrowingTaskGroup(of: CommitOutcome.self) { group in
                for entry in entries { group.addTask { try await bench.record.commit(entry) } }
                return try await group.reduce(into: [CommitOutcome]()) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == .recorded } == 10)
            let standing = try await bench.record.situation(
                of: EntryDraft(bench.world, device: "meter-99").byClaim().bootstrapQuestion()
            ).standing
            #expect(standing?.anchor.devices == 10)
            #expect(standing?.credential.devicesLastHour == 10)
            // An hour and a minute later a limit by the hour has room again, and one in all has not.
            var late = try limit.draft(EntryDraft(bench.world, device: "meter-99"), credential: 7)
            late.at = TestClock.start.addingTimeInterval(3_660)
            let hasRoom = limit == .credentialPerHour || limit == .anchorPerHour
            #expect(try await bench.record.commit(late.issuing()) == (hasRoom ? .recorded : .lostRace))
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a limit of the credential leaves the others of its anchor their places`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let entries = try (0..<20).map { number in
                try EntryDraft(bench.world, device: "meter-\(number)").byClaim(
                    number < 10 ? 1 : 2,
                    anchorLimits: .init(devicesMax: 8),
                    credentialLimits: .init(devicesMax: 5)
                ).issuing()
            }
            let outcomes = try await withThrowingTaskGroup(of: (Int, CommitOutcome).self) { group in
                for (index, entry) in entries.enumerated() {
                    group.addTask { (index, try await bench.record.commit(entry)) }
                }
                return try await group.reduce(into: [Int: CommitOutcome]()) { $0[$1.0] = $1.1 }
            }
            let recorded = outcomes.filter { $0.value == .recorded }
            #expect(recorded.count == 8)
            #expect(recorded.count { $0.key < 10 } <= 5)
            #expect(recorded.count { $0.key >= 10 } <= 5)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a device that is in already counts under no limit`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let first = try EntryDraft(bench.world).byClaim(credentialLimits: .init(devicesMax: 1))
            let entry = try first.issuing()
            #expect(try await bench.record.commit(entry) == .recorded)
            var next = try EntryDraft(bench.world)
            next.replaces = entry.issuance?.certificate.serialNumber
            #expect(try await bench.record.commit(next.issuing()) == .recorded)
            let standing = try await bench.record.situation(of: first.bootstrapQuestion()).standing
            #expect(standing?.credential.devices == 1)
        }
    }
}
