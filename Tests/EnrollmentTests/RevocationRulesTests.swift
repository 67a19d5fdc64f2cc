import Foundation
import PKI
import TestKit
import Testing

@testable import Enrollment

/// What a device may do that an operator revoked, held, released or cleared.
struct RevocationRulesTests {
    @Test func `a revoked device may not renew, nor enroll with its old key; its fleet says what a new key may`()
        async throws
    {
        for policy in ReenrollmentPolicy.allCases {
            let bench = try Bench(world: TestFleet(reenrollment: policy))
            let (idevid, key) = (try bench.world.idevid("meter-1"), try DeviceKey.make())
            let held = try TestCredential(key: key, der: #require(await bench.enroll(idevid, key: key).certificate))
            let device = try bench.world.names("meter-1").device
            bench.record.change(device, of: bench.world.fleet.id, .revoke(.cessationOfOperation, comment: nil))
            #expect(try await bench.renew(held, key: .make()).reason == .certificateRevoked)
            #expect(try await bench.enroll(idevid, key: key).reason == .certificateRevoked)
            let new = try DeviceKey.make()
            let answer = try await bench.enroll(idevid, key: new)
            switch policy {
            case .never, .afterClear: #expect(answer.reason == .deviceRevoked)
            case .approval:
                #expect(answer.retryAfter != nil)
                #expect(bench.record.approvalRequests.map(\.kind) == [.reenrollment])
            }
            bench.record.change(device, of: bench.world.fleet.id, .clear(comment: nil))
            let cleared = try await bench.enroll(idevid, key: new)
            switch policy {
            case .never: #expect(cleared.reason == .deviceRevoked)
            case .afterClear, .approval:
                #expect(cleared.certificate != nil)
                #expect(bench.record.attempts.last?.rule == "cleared")
            }
            // The old key and certificate stay revoked for good.
            #expect(try await bench.renew(held, key: .make()).reason == .certificateRevoked || policy != .never)
            #expect(try await bench.enroll(idevid, key: key).reason == .certificateRevoked)
        }
    }

    @Test func `an operator's approval lets a revoked device in with that key`() async throws {
        let bench = try Bench(world: TestFleet())
        let (idevid, key) = (try bench.world.idevid("meter-1"), try DeviceKey.make())
        _ = try await bench.enroll(idevid, key: key)
        let device = try bench.world.names("meter-1").device
        bench.record.change(device, of: bench.world.fleet.id, .revoke(.unspecified, comment: nil))
        let new = try DeviceKey.make()
        #expect(try await bench.enroll(idevid, key: new).retryAfter != nil)
        bench.record.decide(device, publicKeySHA256: try new.sha256, of: bench.world.fleet.id, .approved)
        #expect(try await bench.enroll(idevid, key: new).certificate != nil)
        #expect(bench.record.attempts.last?.rule == "approved-reenrollment")
        // From then on it is a device like others.
        #expect(try await bench.enroll(idevid, key: .make()).certificate != nil)
    }

    @Test func `a device on hold is refused in all it does, and served again when it is released`() async throws {
        let bench = try Bench(world: TestFleet())
        let (idevid, key) = (try bench.world.idevid("meter-1"), try DeviceKey.make())
        let first = try await bench.enroll(idevid, key: key)
        let held = try TestCredential(key: key, der: #require(first.certificate))
        let device = try bench.world.names("meter-1").device
        bench.record.change(device, of: bench.world.fleet.id, .revoke(.certificateHold, comment: nil))
        #expect(try await bench.enroll(idevid, key: key).reason == .deviceHeld)
        #expect(try await bench.enroll(idevid, key: .make()).reason == .deviceHeld)
        #expect(try await bench.renew(held, key: .make()).reason == .deviceHeld)
        bench.record.change(device, of: bench.world.fleet.id, .release(comment: nil))
        #expect(try await bench.enroll(idevid, key: key) == first)
        #expect(try await bench.renew(held, key: .make()).certificate != nil)
    }

    @Test(arguments: RevocationReason.allCases, RevocationReason.allCases)
    func `nothing leaves key compromise, and only a hold becomes something milder than that`(
        earlier: RevocationReason,
        later: RevocationReason
    ) {
        let expected = later != earlier && (earlier == .certificateHold || later == .keyCompromise)
        #expect(later.replaces(earlier) == expected)
        #expect(later.replaces(nil))
    }
}
