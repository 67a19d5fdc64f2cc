import Enrollment
import Foundation
import PKI
import TestKit
import X509

/// A submission that is refused for one reason, made by the smallest fault.
struct RefusalCase {
    let bench: Bench
    var operation = Attempt.Operation.simpleEnroll
    let client: PresentedClient
    let request: Result<[UInt8], Refusal>

    private init(
        _ bench: Bench,
        _ operation: Attempt.Operation = .simpleEnroll,
        as client: PresentedClient,
        _ request: Result<[UInt8], Refusal>
    ) {
        self.bench = bench
        self.operation = operation
        self.client = client
        self.request = request
    }

    static func make(_ reason: RefusalReason) async throws -> RefusalCase {
        let bench = try Bench()
        let idevid = try bench.world.idevid("meter-1")
        let sound = try RequestDraft(.make()).der()
        func ask(_ change: (inout RequestDraft) throws -> Void) throws -> RefusalCase {
            var draft = RequestDraft(try .make())
            try change(&draft)
            return RefusalCase(bench, as: idevid.client, .success(try draft.der()))
        }
        switch reason {
        case .requestUnreadable: return RefusalCase(bench, as: idevid.client, .success([0x30, 0x00]))
        case .requestTooLarge:
            return RefusalCase(bench, as: idevid.client, .success([UInt8](repeating: 0x30, count: 16 * 1024 + 1)))
        case .mediaTypeNotAccepted:
            // The front judges the body's type before there is a request.
            let refusal = Refusal(.mediaTypeNotAccepted, "send application/pkcs10")
            return RefusalCase(bench, as: idevid.client, .failure(refusal))
        case .keyNotAccepted:
            let strict = try Bench(world: TestFleet(keyPolicy: KeyPolicy(families: [.p384])))
            return RefusalCase(strict, as: try strict.world.idevid("meter-1").client, .success(sound))
        case .signatureInvalid:
            // The last octet belongs to the signature's s.
            return RefusalCase(bench, as: idevid.client, .success(sound.dropLast() + [sound[sound.count - 1] ^ 1]))
        case .authorityRequested: return try ask { $0.asksForAuthority = true }
        case .subjectMismatch: return try ask { $0.subject = try DistinguishedName(commonName: "meter-2") }
        case .namesNotAllowed: return try ask { $0.names = [.dnsName("meter-1.example")] }
        case .keyOfAnotherDevice:
            let other = try await bench.enrolled("meter-2")
            return try ask { $0.key = other.key }
        case .keyOfAuthority:
            let key = DeviceKey(Certificate.PrivateKey(try SigningKey(bench.world.issuing.key)))
            return try ask { $0.key = key }
        case .keyOfBootstrapCredential: return try ask { $0.key = idevid.key }
        case .deviceIDMissing:
            let nameless = try bench.world.idevid("x") { $0.subject = try DistinguishedName(commonName: "Meter") }
            return RefusalCase(bench, as: nameless.client, .success(sound))
        case .deviceHasAnotherKey:
            _ = try await bench.enrolled("meter-1")
            let draft = RequestDraft(try .make(), subject: try DistinguishedName(commonName: "meter-1"))
            return RefusalCase(bench, as: try bench.world.claim().client, .success(try draft.der()))
        case .deviceOfAnotherAnchor:
            _ = try await bench.enrolled("meter-1")
            let other = try bench.world.idevid("meter-1", by: bench.world.otherManufacturer)
            return RefusalCase(bench, as: other.client, .success(sound))
        case .clientCertificateRequired: return RefusalCase(bench, as: .anonymous, .success(sound))
        case .certificateNotTrusted:
            let stranger = try TestAuthority.selfSigned("Nobody", role: .bootstrapAnchor)
            return RefusalCase(bench, as: try bench.world.idevid("meter-1", by: stranger).client, .success(sound))
        case .certificateNotValid:
            let expired = try bench.world.idevid("meter-1") { $0.notAfter = TestClock.start.addingTimeInterval(-1) }
            return RefusalCase(bench, as: expired.client, .success(sound))
        case .bootstrapCredentialRequired:
            return RefusalCase(bench, as: try await bench.enrolled().client, .success(sound))
        case .certificateUnknown, .certificateSuperseded, .certificateRevoked:
            return try await renewal(reason)
        case .deviceRevoked, .deviceHeld: return try await revoked(reason)
        case .anchorBlocked, .credentialBlocked, .outsideValidityWindow, .credentialDeviceLimit, .credentialRateLimit,
            .anchorDeviceLimit, .anchorRateLimit:
            return try await limited(reason)
        case .deviceNotRegistered, .keyNotRegistered, .idevidNotRegistered:
            return try unregistered(reason)
        case .approvalRejected, .approvalQueueFull:
            return try unapproved(reason)
        }
    }

    private static func renewal(_ reason: RefusalReason) async throws -> RefusalCase {
        let bench = try Bench()
        let held = try await bench.enrolled("meter-1")
        let draft = RequestDraft(
            held.key,
            subject: held.certificate.subject,
            names: try held.certificate.extensions.subjectAlternativeNames.map { Array($0) }
        )
        let request = Result<[UInt8], Refusal>.success(try draft.der())
        switch reason {
        case .certificateUnknown:
            // The same fleet over a record that was restored from before this device enrolled.
            let restored = try Bench(world: bench.world)
            return RefusalCase(restored, .simpleReenroll, as: held.client, request)
        case .certificateRevoked:
            bench.record.change(
                try bench.world.names("meter-1").device,
                of: bench.world.fleet.id,
                .revoke(.unspecified, comment: nil)
            )
        default:
            _ = try await bench.enroll(bench.world.idevid("meter-1"), key: .make())
        }
        return RefusalCase(bench, .simpleReenroll, as: held.client, request)
    }

    /// What an operator revoked or put on hold.
    private static func revoked(_ reason: RefusalReason) async throws -> RefusalCase {
        let bench = try Bench(world: TestFleet(reenrollment: .never))
        let idevid = try bench.world.idevid("meter-1")
        _ = try await bench.enroll(idevid, key: .make())
        let device = try bench.world.names("meter-1").device
        let why: RevocationReason = reason == .deviceHeld ? .certificateHold : .superseded
        bench.record.change(device, of: bench.world.fleet.id, .revoke(why, comment: nil))
        return RefusalCase(bench, as: idevid.client, .success(try RequestDraft(.make()).der()))
    }

    /// What an operator blocked, and what has let in as much as it may.
    private static func limited(_ reason: RefusalReason) async throws -> RefusalCase {
        let limits =
            switch reason {
            case .outsideValidityWindow: AnchorLimits(credential: BootstrapLimits(validUntil: TestClock.start))
            case .credentialDeviceLimit: AnchorLimits(credential: BootstrapLimits(devicesMax: 1))
            case .credentialRateLimit: AnchorLimits(credential: BootstrapLimits(devicesPerHour: 1))
            case .anchorDeviceLimit: AnchorLimits(whole: BootstrapLimits(devicesMax: 1))
            case .anchorRateLimit: AnchorLimits(whole: BootstrapLimits(devicesPerHour: 1))
            default: AnchorLimits()
            }
        let bench = try Bench(world: TestFleet(claims: AnchorTerms(.requestCommonName, limits: limits)))
        let claim = try bench.world.claim()
        switch reason {
        case .anchorBlocked: bench.record.setBlock(of: TestFleet.claimsID, isBlocked: true)
        case .credentialBlocked:
            bench.record.setBlock(ofCredential: claim.sha256, of: bench.world.fleet.id, isBlocked: true)
        default: _ = try await bench.enroll(claim, key: .make(), subject: .init(commonName: "meter-1"))
        }
        let draft = RequestDraft(try .make(), subject: try DistinguishedName(commonName: "meter-2"))
        return RefusalCase(bench, as: claim.client, .success(try draft.der()))
    }

    /// What an operator did not announce, or not so.
    private static func unregistered(_ reason: RefusalReason) throws -> RefusalCase {
        let bench = try Bench(world: TestFleet(policy: .allowlist))
        let other = [UInt8](repeating: 7, count: 32)
        let registration: Registration? =
            switch reason {
            case .keyNotRegistered: Registration(publicKeySHA256: other)
            case .idevidNotRegistered: Registration(idevidSHA256: other)
            default: nil
            }
        bench.record.register(try bench.world.names("meter-1").device, registration, of: bench.world.fleet.id)
        return RefusalCase(
            bench,
            as: try bench.world.idevid("meter-1").client,
            .success(try RequestDraft(.make()).der())
        )
    }

    /// What an operator turned down, or has too much of to look at.
    private static func unapproved(_ reason: RefusalReason) throws -> RefusalCase {
        let bench = try Bench(world: TestFleet(policy: .approval))
        let draft = RequestDraft(try .make())
        func decide(_ device: String, _ state: ApprovalState) throws {
            bench.record.decide(
                try bench.world.names(device).device,
                publicKeySHA256: try draft.key.sha256,
                of: bench.world.fleet.id,
                state
            )
        }
        if reason == .approvalRejected {
            try decide("meter-1", .rejected)
        } else {
            for number in 0..<EnrollmentPolicy.pendingMax { try decide("stranger-\(number)", .pending) }
        }
        return RefusalCase(bench, as: try bench.world.idevid("meter-1").client, .success(try draft.der()))
    }
}
