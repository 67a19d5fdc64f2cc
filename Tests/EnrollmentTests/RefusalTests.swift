import Crypto
import Enrollment
import Foundation
import PKI
import TestKit
import Testing
import X509

/// Each reason, made once by the smallest fault; nothing is signed, and the attempt is kept.
struct RefusalTests {
    @Test(arguments: RefusalReason.allCases)
    func `each reason falls where it should, is recorded with its stage, and signs nothing`(
        _ reason: RefusalReason
    ) async throws {
        let found = try await RefusalCase.make(reason)
        let before = found.bench.record.issued.count
        let result = await found.bench.submit(found.operation, as: found.client, request: found.request)
        #expect(result.reason == reason)
        #expect(found.bench.record.issued.count == before)
        let attempt = try #require(found.bench.record.attempts.last)
        #expect(attempt.outcome == .refused)
        #expect(attempt.stage == Self.stages[reason])
        #expect(attempt.rule == reason.rawValue)
        #expect(attempt.refusal?.reason == reason)
        #expect(attempt.serialNumber == nil)
        #expect(reason.class == Self.classes[reason])
        let mark = attempt.credentialSHA256.flatMap { found.bench.record.mark(ofCredential: $0, of: attempt.fleet) }
        #expect(mark == (Self.marking.contains(reason) ? reason : nil))
    }

    private static let stages: [RefusalReason: EnrollmentStage] = [
        .requestUnreadable: .request, .requestTooLarge: .request,
        .mediaTypeNotAccepted: .request, .keyNotAccepted: .request,
        .signatureInvalid: .request, .authorityRequested: .request, .subjectMismatch: .names,
        .namesNotAllowed: .names, .deviceIDMissing: .names, .keyOfAnotherDevice: .policy, .keyOfAuthority: .policy,
        .keyOfBootstrapCredential: .policy, .deviceHasAnotherKey: .policy, .deviceOfAnotherAnchor: .policy,
        .certificateUnknown: .policy, .certificateSuperseded: .policy, .certificateRevoked: .policy,
        .clientCertificateRequired: .identity, .certificateNotTrusted: .identity, .certificateNotValid: .identity,
        .bootstrapCredentialRequired: .identity, .anchorBlocked: .policy, .credentialBlocked: .policy,
        .outsideValidityWindow: .policy, .deviceNotRegistered: .policy, .keyNotRegistered: .policy,
        .idevidNotRegistered: .policy, .credentialDeviceLimit: .policy, .credentialRateLimit: .policy,
        .anchorDeviceLimit: .policy, .anchorRateLimit: .policy, .approvalRejected: .policy,
        .approvalQueueFull: .policy, .deviceRevoked: .policy, .deviceHeld: .policy,
    ]

    private static let classes: [RefusalReason: RefusalReason.Class] = [
        .requestUnreadable: .badRequest, .requestTooLarge: .badRequest,
        .mediaTypeNotAccepted: .badRequest, .keyNotAccepted: .badRequest,
        .signatureInvalid: .badRequest, .authorityRequested: .badRequest, .subjectMismatch: .badRequest,
        .namesNotAllowed: .badRequest, .keyOfAnotherDevice: .badRequest, .keyOfAuthority: .badRequest,
        .keyOfBootstrapCredential: .badRequest, .clientCertificateRequired: .unauthenticated,
        .certificateNotTrusted: .forbidden, .certificateNotValid: .forbidden,
        .bootstrapCredentialRequired: .forbidden, .deviceIDMissing: .forbidden, .deviceHasAnotherKey: .forbidden,
        .deviceOfAnotherAnchor: .forbidden, .certificateUnknown: .forbidden, .certificateSuperseded: .forbidden,
        .certificateRevoked: .forbidden, .anchorBlocked: .forbidden, .credentialBlocked: .forbidden,
        .outsideValidityWindow: .forbidden, .deviceNotRegistered: .forbidden, .keyNotRegistered: .forbidden,
        .idevidNotRegistered: .forbidden, .credentialDeviceLimit: .forbidden, .credentialRateLimit: .forbidden,
        .anchorDeviceLimit: .forbidden, .anchorRateLimit: .forbidden, .approvalRejected: .forbidden,
        .approvalQueueFull: .forbidden, .deviceRevoked: .forbidden, .deviceHeld: .forbidden,
    ]

    /// Those that tell the operator of a credential that came up against a limit.
    private static let marking: Set<RefusalReason> = [
        .outsideValidityWindow, .credentialDeviceLimit, .credentialRateLimit, .anchorDeviceLimit, .anchorRateLimit,
    ]

    @Test func `the server's own keys and every CA's key are refused as device keys (C-04)`() async throws {
        let own = try DeviceKey.make()
        let bench = try Bench(forbiddenKeys: [own.sha256])
        let idevid = try bench.world.idevid("meter-1")
        #expect(try await bench.enroll(idevid, key: own).reason == .keyOfAuthority)
        for authority in [bench.world.root, bench.world.issuing, bench.world.manufacturer] {
            let key = DeviceKey(Certificate.PrivateKey(try SigningKey(authority.key)))
            #expect(try await bench.enroll(idevid, key: key).reason == .keyOfAuthority)
        }
    }

    @Test func `a key of a device in another fleet is another device's key (C-04)`() async throws {
        let record = InMemoryEnrollmentRecord()
        let meters = try Bench(record: record)
        let valves = try Bench(world: TestFleet(name: "valves", id: FleetID(2)), record: record)
        let key = try DeviceKey.make()
        #expect(try await meters.enroll(meters.world.idevid("one"), key: key).certificate != nil)
        #expect(try await valves.enroll(valves.world.idevid("one"), key: key).reason == .keyOfAnotherDevice)
    }

    @Test(arguments: [
        "meter-2", "meter-1@valves", "meter-1 ", "METER-1", "*", "meter-1\u{0}", "meter-1\u{202E}", "",
    ])
    func `a request that names another device is refused, byte by byte (C-03)`(_ name: String) async throws {
        let bench = try Bench()
        let result = try await bench.enroll(
            bench.world.idevid("meter-1"),
            key: .make(),
            subject: DistinguishedName(commonName: name)
        )
        #expect(result.reason == .subjectMismatch)
    }

    @Test func `names that a request may ask for are the device's own SPIFFE id and nothing else (C-03)`() async throws
    {
        let bench = try Bench()
        let own = GeneralName.uniformResourceIdentifier("spiffe://fleet.example/meters/meter-1")
        let idevid = try bench.world.idevid("meter-1")
        let others: [GeneralName] = [
            .uniformResourceIdentifier("spiffe://fleet.example/meters/meter-2"), .dnsName("*.example"),
            .dnsName("meter-1"), .rfc822Name("meter-1@example.org"),
            .directoryName(try DistinguishedName(commonName: "meter-1")),
        ]
        for other in others {
            #expect(try await bench.enroll(idevid, key: .make(), names: [own, other]).reason == .namesNotAllowed)
        }
        #expect(try await bench.enroll(idevid, key: .make(), names: [own]).certificate != nil)
    }

    @Test func `a certificate of the fleet's other device does not renew for this one`() async throws {
        let bench = try Bench()
        let one = try await bench.enrolled("meter-1")
        let two = try await bench.enrolled("meter-2")
        let draft = RequestDraft(
            one.key,
            subject: one.certificate.subject,
            names: try one.certificate.extensions.subjectAlternativeNames.map { Array($0) }
        )
        let result = await bench.submit(.simpleReenroll, as: two.client, request: .success(try draft.der()))
        #expect(result.reason == .subjectMismatch)
    }

    @Test func `a certificate signed in the issuer's name by another key is not trusted`() async throws {
        let bench = try Bench()
        let held = try await bench.enrolled()
        let impostor = try bench.world.root.signed("Example Issuing CA")
        var draft = try ClientCertificateDraft()
        draft.subject = held.certificate.subject
        let forged = try TestCredential(
            key: held.key,
            der: draft.signed(by: impostor, for: held.key.publicKey)
        )
        #expect(try await bench.renew(forged, key: held.key).reason == .certificateNotTrusted)
    }

    @Test func `an attempt keeps no more than a bounded part of a stranger's subject`() async throws {
        let bench = try Bench()
        let long = try bench.world.idevid("meter-1") { draft in
            draft.subject = try DistinguishedName(
                organization: String(repeating: "x", count: 5_000),
                serialNumber: "meter-1"
            )
        }
        _ = try await bench.enroll(long, key: .make())
        #expect(bench.record.attempts.only?.credentialSubject?.count == 256)
    }

    @Test func `a refusal's text is one bounded line of printable characters`() {
        let refusal = Refusal(.subjectMismatch, "a\nb\u{202E}c\u{0}" + String(repeating: "d", count: 1_000))
        #expect(refusal.detail.hasPrefix("a?b?c?d"))
        #expect(refusal.detail.count == 300)
    }
}
