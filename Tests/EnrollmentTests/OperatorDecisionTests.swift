import Foundation
import PKI
import Synchronization
import TestKit
import Testing
import X509

@testable import Enrollment

/// What operators decide, from a device's first word to its certificate.
struct OperatorDecisionTests {
    @Test func `a device waits until it is approved, asks its operator once, and then gets its certificate`()
        async throws
    {
        let bench = try Bench(world: TestFleet(policy: .approval))
        let (idevid, key) = (try bench.world.idevid("meter-1"), try DeviceKey.make())
        for _ in 0..<3 {
            #expect(try await bench.enroll(idevid, key: key).retryAfter == EnrollmentPolicy.approvalRetryStandard)
        }
        let device = try bench.world.names("meter-1").device
        let request = ApprovalRequest(device: device, publicKeySHA256: try key.sha256, kind: .first)
        #expect(bench.record.approvalRequests == [request])
        #expect(bench.record.issued.isEmpty)
        bench.record.decide(device, publicKeySHA256: try key.sha256, of: bench.world.fleet.id, .approved)
        let issued = try await bench.enroll(idevid, key: key)
        #expect(issued.certificate != nil)
        #expect(try await bench.enroll(idevid, key: key) == issued)
        #expect(
            bench.record.attempts.map(\.rule)
                == ["approval-first", "approval-first", "approval-first", "approved-first", "same-key"]
        )
        #expect(bench.record.attempts.map(\.outcome) == [.pending, .pending, .pending, .issued, .repeated])
        let waited = try #require(bench.record.attempts.first)
        #expect(waited.stage == .policy)
        #expect(waited.device == device)
        #expect(waited.publicKeySHA256 == (try key.sha256))
        #expect(waited.refusal == nil)
        #expect(waited.serialNumber == nil)
    }

    @Test func `an approval is for one key: the device with another one waits anew`() async throws {
        let bench = try Bench(world: TestFleet(policy: .approval))
        let device = try bench.world.names("meter-1").device
        let idevid = try bench.world.idevid("meter-1")
        let approved = try DeviceKey.make()
        bench.record.decide(device, publicKeySHA256: try approved.sha256, of: bench.world.fleet.id, .approved)
        #expect(try await bench.enroll(idevid, key: .make()).retryAfter != nil)
        #expect(bench.record.issued.isEmpty)
    }

    @Test func `a device that was rejected is refused, until the operator thinks again`() async throws {
        let bench = try Bench(world: TestFleet(policy: .approval))
        let (idevid, key) = (try bench.world.idevid("meter-1"), try DeviceKey.make())
        let device = try bench.world.names("meter-1").device
        _ = try await bench.enroll(idevid, key: key)
        bench.record.decide(device, publicKeySHA256: try key.sha256, of: bench.world.fleet.id, .rejected)
        #expect(try await bench.enroll(idevid, key: key).reason == .approvalRejected)
        bench.record.decide(device, publicKeySHA256: try key.sha256, of: bench.world.fleet.id, .approved)
        #expect(try await bench.enroll(idevid, key: key).certificate != nil)
    }

    @Test func `a reset device whose anchor wants approval waits with its new key and keeps its old one meanwhile`()
        async throws
    {
        let bench = try Bench(world: TestFleet(manufacturer: AnchorTerms(.subjectSerialNumber, keyChange: .approve)))
        let idevid = try bench.world.idevid("meter-1")
        let old = try DeviceKey.make()
        let held = try await bench.credential(bench.enroll(idevid, key: old), key: old)
        let new = try DeviceKey.make()
        #expect(try await bench.enroll(idevid, key: new).retryAfter != nil)
        #expect(bench.record.approvalRequests.map(\.kind) == [.keyChange])
        #expect(try await bench.renew(held, key: old).certificate != nil)
        let device = try bench.world.names("meter-1").device
        bench.record.decide(device, publicKeySHA256: try new.sha256, of: bench.world.fleet.id, .approved)
        let replaced = try await bench.credential(bench.enroll(idevid, key: new), key: new)
        #expect(replaced.certificate.publicKey == new.publicKey)
        #expect(bench.record.attempts.last?.rule == "approved-key-change")
    }

    @Test func `an approved attempt that lost its race and must wait says nothing of a certificate`() async throws {
        let winner = Mutex<(@Sendable () async -> Void)?>(nil)
        let record = InMemoryEnrollmentRecord(beforeCommit: { entry in
            guard entry.issuance != nil else { return }
            let body = winner.withLock { body in
                defer { body = nil }
                return body
            }
            await body?()
        })
        let terms = AnchorTerms(.subjectSerialNumber, keyChange: .approve)
        let bench = try Bench(world: TestFleet(manufacturer: terms), record: record)
        let idevid = try bench.world.idevid("meter-1")
        winner.withLock { $0 = { _ = try? await bench.enroll(idevid, key: .make()) } }
        #expect(try await bench.enroll(idevid, key: .make()).retryAfter != nil)
        let attempt = try #require(record.attempts.last)
        #expect(attempt.outcome == .pending)
        #expect(attempt.serialNumber == nil)
        #expect(attempt.issuer == nil)
    }

    @Test func `an allowlist admits a device from the moment that it is registered`() async throws {
        let bench = try Bench(world: TestFleet(policy: .allowlist))
        let (idevid, key) = (try bench.world.idevid("meter-1"), try DeviceKey.make())
        #expect(try await bench.enroll(idevid, key: key).reason == .deviceNotRegistered)
        let device = try bench.world.names("meter-1").device
        let pins = Registration(publicKeySHA256: try key.sha256, idevidSHA256: idevid.sha256)
        bench.record.register(device, pins, of: bench.world.fleet.id)
        #expect(try await bench.enroll(idevid, key: .make()).reason == .keyNotRegistered)
        #expect(try await bench.enroll(bench.world.idevid("meter-1"), key: key).reason == .idevidNotRegistered)
        #expect(try await bench.enroll(bench.world.idevid("meter-2"), key: .make()).reason == .deviceNotRegistered)
        #expect(try await bench.enroll(idevid, key: key).certificate != nil)
        #expect(bench.record.attempts.last?.rule == "allowlist-first")
    }

    @Test func `a policy that was changed holds from the next request on, and enrolled devices renew under any`()
        async throws
    {
        var bench = try Bench()
        let held = try await bench.enrolled("meter-1")
        bench.world = try bench.world.changed(policy: .allowlist)
        #expect(try await bench.enroll(bench.world.idevid("meter-2"), key: .make()).reason == .deviceNotRegistered)
        #expect(try await bench.renew(held, key: held.key).certificate != nil)
        bench.world = try bench.world.changed(policy: .approval)
        #expect(try await bench.enroll(bench.world.idevid("meter-2"), key: .make()).retryAfter != nil)
    }

    @Test func `a claim lets in as many devices as it may, and those that are in come again`() async throws {
        let limits = AnchorLimits(credential: BootstrapLimits(devicesMax: 2))
        let bench = try Bench(world: TestFleet(claims: AnchorTerms(.requestCommonName, limits: limits)))
        let claim = try bench.world.claim()
        let key = try DeviceKey.make()
        func enroll(_ device: String, _ key: DeviceKey) async throws -> EnrollmentResult {
            try await bench.enroll(claim, key: key, subject: .init(commonName: device))
        }
        #expect(try await enroll("meter-1", key).certificate != nil)
        #expect(try await enroll("meter-2", .make()).certificate != nil)
        #expect(try await enroll("meter-3", .make()).reason == .credentialDeviceLimit)
        #expect(try await enroll("meter-1", key).certificate != nil)
        #expect(bench.record.mark(ofCredential: claim.sha256, of: bench.world.fleet.id) == .credentialDeviceLimit)
        // The mark goes when an operator takes it off, and comes again with the next device that is too many.
        bench.record.clearMark(ofCredential: claim.sha256, of: bench.world.fleet.id)
        #expect(try await enroll("meter-1", key).certificate != nil)
        #expect(bench.record.mark(ofCredential: claim.sha256, of: bench.world.fleet.id) == nil)
        #expect(try await enroll("meter-3", .make()).reason == .credentialDeviceLimit)
        #expect(bench.record.mark(ofCredential: claim.sha256, of: bench.world.fleet.id) == .credentialDeviceLimit)
        // Another claim has a count of its own.
        let other = try bench.world.claim("batch 8")
        #expect(try await bench.enroll(other, key: .make(), subject: .init(commonName: "meter-3")).certificate != nil)
        #expect(bench.record.mark(ofCredential: other.sha256, of: bench.world.fleet.id) == nil)
        // Its own limits stand over its anchor's.
        bench.record.limit(credential: claim.sha256, of: bench.world.fleet.id, BootstrapLimits(devicesMax: 3))
        #expect(try await enroll("meter-4", .make()).certificate != nil)
        #expect(try await enroll("meter-5", .make()).reason == .credentialDeviceLimit)
    }

    @Test func `a limit by the hour lets in more devices when the hour is over`() async throws {
        let limits = AnchorLimits(whole: BootstrapLimits(devicesPerHour: 1))
        let bench = try Bench(world: TestFleet(manufacturer: AnchorTerms(.subjectSerialNumber, limits: limits)))
        #expect(try await bench.enroll(bench.world.idevid("meter-1"), key: .make()).certificate != nil)
        bench.clock.advance(by: 3_600)
        #expect(try await bench.enroll(bench.world.idevid("meter-2"), key: .make()).reason == .anchorRateLimit)
        bench.clock.advance(by: 60)
        #expect(try await bench.enroll(bench.world.idevid("meter-2"), key: .make()).certificate != nil)
    }

    @Test func `two devices that race for the last place under a limit do not both get in`() async throws {
        let winner = Mutex<(@Sendable () async -> Void)?>(nil)
        let record = InMemoryEnrollmentRecord(beforeCommit: { _ in
            let body = winner.withLock { body in
                defer { body = nil }
                return body
            }
            await body?()
        })
        let limits = AnchorLimits(credential: BootstrapLimits(devicesMax: 1))
        let world = try TestFleet(claims: AnchorTerms(.requestCommonName, limits: limits))
        let bench = try Bench(world: world, record: record)
        let claim = try world.claim()
        winner.withLock {
            $0 = { _ = try? await bench.enroll(claim, key: .make(), subject: .init(commonName: "meter-1")) }
        }
        let loser = try await bench.enroll(claim, key: .make(), subject: .init(commonName: "meter-2"))
        #expect(loser.reason == .credentialDeviceLimit)
        #expect(record.issued.count == 1)
    }

    @Test func `a block holds from the next request on and says so to no other credential`() async throws {
        let bench = try Bench()
        let claim = try bench.world.claim()
        let key = try DeviceKey.make()
        let subject = try DistinguishedName(commonName: "meter-1")
        let held = try await bench.credential(bench.enroll(claim, key: key, subject: subject), key: key)
        bench.record.setBlock(ofCredential: claim.sha256, of: bench.world.fleet.id, isBlocked: true)
        #expect(try await bench.enroll(claim, key: key, subject: subject).reason == .credentialBlocked)
        #expect(try await bench.enroll(bench.world.claim("batch 8"), key: key, subject: subject).certificate != nil)
        bench.record.setBlock(of: TestFleet.claimsID, isBlocked: true)
        #expect(
            try await bench.enroll(bench.world.claim("batch 8"), key: key, subject: subject).reason == .anchorBlocked
        )
        #expect(try await bench.enroll(bench.world.idevid("meter-2"), key: .make()).certificate != nil)
        // A device that is in keeps what it has.
        #expect(try await bench.renew(held, key: key).certificate != nil)
        bench.record.setBlock(of: TestFleet.claimsID, isBlocked: false)
        #expect(try await bench.enroll(bench.world.claim("batch 8"), key: key, subject: subject).certificate != nil)
    }
}
