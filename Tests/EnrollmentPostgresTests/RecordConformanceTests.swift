import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import TestKit
import Testing

/// What every record of enrollments must do; the fake that other tests rest on is held to it as PostgreSQL is.
struct RecordConformanceTests {
    @Test(arguments: RecordKind.allCases)
    func `of a device that never came, nothing is known`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let situation = try await bench.record.situation(of: EntryDraft(bench.world).question)
            #expect(situation == EnrollmentSituation(device: nil, keyBelongsToAnother: false))
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `what was recorded is what is known, to the octet and the second`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            var draft = try EntryDraft(bench.world)
            draft.renewable = [UInt8](repeating: 9, count: 20)
            let entry = try draft.issuing()
            #expect(try await bench.record.commit(entry) == .recorded)
            let issued = try #require(entry.issuance).certificate.signed()
            let expected = KnownDevice(
                current: RecordedCertificate(
                    issuer: bench.world.fleet.record.issuerID,
                    serialNumber: issued.serialNumber,
                    publicKeySHA256: try draft.key.sha256,
                    notBefore: issued.notBefore,
                    notAfter: issued.notAfter,
                    isRevoked: false,
                    der: issued.der
                ),
                renewableSerialNumber: [UInt8](repeating: 9, count: 20),
                enrolledAt: draft.at,
                currentIsUsed: false,
                idevidAnchor: TestFleet.manufacturerID
            )
            let situation = try await bench.record.situation(of: draft.question)
            #expect(situation == EnrollmentSituation(device: expected, keyBelongsToAnother: false))
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `the second of two first enrollments loses, and nothing of it stays, not even its key`(
        _ kind: RecordKind
    ) async throws {
        try await kind.with { bench in
            let first = try EntryDraft(bench.world)
            let second = try EntryDraft(bench.world)
            #expect(try await bench.record.commit(first.issuing()) == .recorded)
            #expect(try await bench.record.commit(second.issuing()) == .lostRace)
            let known = try await bench.record.situation(of: first.question).device
            #expect(try known?.current.publicKeySHA256 == first.key.sha256)
            var other = second
            other.device = "meter-2"
            #expect(try await bench.record.situation(of: other.question).keyBelongsToAnother == false)
            #expect(try await bench.record.commit(other.issuing()) == .recorded)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a key serves one device alone, in all fleets, for good (C-04)`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let first = try EntryDraft(bench.world)
            let entry = try first.issuing()
            #expect(try await bench.record.commit(entry) == .recorded)
            var thief = try EntryDraft(bench.world, device: "meter-2", key: first.key)
            #expect(try await bench.record.situation(of: thief.question).keyBelongsToAnother)
            #expect(try await bench.record.commit(thief.issuing()) == .lostRace)
            thief.device = "meter-1"
            thief.fleet = bench.otherFleet
            #expect(try await bench.record.situation(of: thief.question).keyBelongsToAnother)
            #expect(try await bench.record.commit(thief.issuing()) == .lostRace)
            #expect(try await bench.record.situation(of: thief.question).device == nil)
            // The device itself moves on; its old key is still its own, and comes back to it alone.
            var next = try EntryDraft(bench.world)
            next.replaces = entry.issuance?.certificate.serialNumber
            #expect(try await bench.record.commit(next.issuing()) == .recorded)
            thief.fleet = bench.world.fleet.id
            thief.device = "meter-2"
            #expect(try await bench.record.situation(of: thief.question).keyBelongsToAnother)
            #expect(try await bench.record.situation(of: first.question).keyBelongsToAnother == false)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a device moves only from the certificate that the decision saw`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let first = try EntryDraft(bench.world).issuing()
            #expect(try await bench.record.commit(first) == .recorded)
            var second = try EntryDraft(bench.world)
            second.replaces = first.issuance?.certificate.serialNumber
            second.renewable = second.replaces
            second.anchor = nil
            second.at = TestClock.start.addingTimeInterval(.day)
            var stale = try EntryDraft(bench.world)
            stale.replaces = second.replaces
            #expect(try await bench.record.commit(second.issuing()) == .recorded)
            #expect(try await bench.record.commit(stale.issuing()) == .lostRace)
            let known = try #require(await bench.record.situation(of: second.question).device)
            #expect(try known.current.publicKeySHA256 == second.key.sha256)
            #expect(known.renewableSerialNumber == second.renewable)
            #expect(known.enrolledAt == second.at)
            // A renewal proves no IDevID; the one that did is remembered.
            #expect(known.idevidAnchor == TestFleet.manufacturerID)
            var gone = try EntryDraft(bench.world, device: "meter-2")
            gone.replaces = second.replaces
            #expect(try await bench.record.commit(gone.issuing()) == .lostRace)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `use of the current certificate is known, and ends with it`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let draft = try EntryDraft(bench.world)
            let first = try draft.issuing()
            #expect(try await bench.record.commit(first) == .recorded)
            let device = try bench.world.names(draft.device).device
            try await bench.useCurrent(device)
            #expect(try await bench.record.situation(of: draft.question).device?.currentIsUsed == true)
            var second = draft
            second.replaces = first.issuance?.certificate.serialNumber
            #expect(try await bench.record.commit(second.issuing()) == .recorded)
            let known = try await bench.record.situation(of: draft.question).device
            #expect(known?.currentIsUsed == false)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `what was foreseen is signed and recorded where nothing is known`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            for limits in [BootstrapLimits(), BootstrapLimits(devicesMax: 5)] {
                var draft = try EntryDraft(bench.world, device: limits.devicesMax == nil ? "meter-1" : "meter-2")
                    .byIDevID(anchorLimits: limits)
                draft.isForeseen = true
                let entry = try draft.issuing()
                let certificate = try #require(entry.issuance?.certificate)
                #expect(!certificate.isSigned)
                #expect(try await bench.record.commit(entry) == .recorded)
                let known = try await bench.record.situation(of: draft.question).device
                #expect(certificate.isSigned)
                #expect(try known?.current.der == certificate.signed().der)
            }
        }
    }

    /// What a record may know that nobody foresaw.
    enum Surprise: CaseIterable {
        case device, keyOfAnother, ownKeyRevoked, registration, anchorBlocked, credentialBlocked, credentialLimits
    }

    @Test(arguments: RecordKind.allCases, Surprise.allCases)
    func `what was foreseen wrongly is neither signed nor recorded`(
        _ kind: RecordKind,
        _ surprise: Surprise
    ) async throws {
        try await kind.with { bench in
            var draft = try EntryDraft(bench.world).byIDevID()
            let device = try bench.world.names(draft.device).device
            switch surprise {
            case .device:
                let before = try EntryDraft(bench.world, device: draft.device).issuing()
                #expect(try await bench.record.commit(before) == .recorded)
            case .keyOfAnother:
                let other = try EntryDraft(bench.world, device: "meter-2", key: draft.key).issuing()
                #expect(try await bench.record.commit(other) == .recorded)
            case .ownKeyRevoked:
                #expect(try await bench.record.commit(draft.issuing()) == .recorded)
                _ = try await bench.changeStanding(device, .revoke(.keyCompromise, comment: nil))
            case .registration: try await bench.register(device, Registration())
            case .anchorBlocked: try await bench.blockAnchor(TestFleet.manufacturerID, true)
            case .credentialBlocked:
                try await bench.changeCredential(draft.credential, .block(comment: "stolen"))
            case .credentialLimits:
                try await bench.changeCredential(draft.credential, .limit(BootstrapLimits(devicesMax: 9)))
            }
            for limits in [BootstrapLimits(), BootstrapLimits(devicesMax: 5)] {
                draft = draft.byIDevID(anchorLimits: limits)
                draft.isForeseen = true
                let before = try await bench.record.situation(of: draft.question)
                let entry = try draft.issuing()
                #expect(try await bench.record.commit(entry) == .lostRace)
                #expect(entry.issuance?.certificate.isSigned == false)
                #expect(try await bench.record.situation(of: draft.question) == before)
            }
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a refused attempt is recorded and changes nothing`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let draft = try EntryDraft(bench.world)
            #expect(try await bench.record.commit(draft.refused()) == .recorded)
            #expect(try await bench.record.situation(of: draft.question).device == nil)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `of many enrollments of one device at once, one wins`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let entries = try (0..<40).map { _ in try EntryDraft(bench.world).issuing() }
            let outcomes = try await withThrowingTaskGroup(of: CommitOutcome.self) { group in
                for entry in entries { group.addTask { try await bench.record.commit(entry) } }
                return try await group.reduce(into: [CommitOutcome]()) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == .recorded } == 1)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a device enrolls, loses the answer, renews and is superseded`(_ kind: RecordKind) async throws {
        try await kind.with { bench in
            let key = try DeviceKey.make()
            let idevid = try bench.world.idevid("meter-1")
            let first = await bench.enroll(idevid.client, try RequestDraft(key).der())
            let again = await bench.enroll(idevid.client, try RequestDraft(key).der())
            #expect(first == again)
            guard case .certificate(let der) = first else {
                Issue.record("not issued: \(first)")
                return
            }
            let held = try TestCredential(key: key, der: der)
            let newKey = try DeviceKey.make()
            let renewal = try held.renewalRequest(newKey)
            let second = await bench.enroll(held.client, renewal, .simpleReenroll)
            #expect(second != first)
            #expect(await bench.enroll(held.client, renewal, .simpleReenroll) == second)
            try await bench.useCurrent(bench.world.names("meter-1").device)
            guard case .refused(let refusal) = await bench.enroll(held.client, renewal, .simpleReenroll) else {
                Issue.record("a superseded certificate renewed")
                return
            }
            #expect(refusal.reason == .certificateSuperseded)
        }
    }

    @Test(arguments: RecordKind.allCases)
    func `a stranger's certificate with a NUL in its subject is refused like any other`(_ kind: RecordKind) async throws
    {
        try await kind.with { bench in
            let stranger = try TestAuthority.selfSigned("Nobody", role: .bootstrapAnchor)
            let odd = try bench.world.idevid("meter-1", by: stranger) { draft in
                draft.subject = try .init(organization: "a\u{0}b", serialNumber: "meter-1")
            }
            guard case .refused(let refusal) = await bench.enroll(odd.client, try RequestDraft(.make()).der()) else {
                Issue.record("not refused")
                return
            }
            #expect(refusal.reason == .certificateNotTrusted)
        }
    }
}
