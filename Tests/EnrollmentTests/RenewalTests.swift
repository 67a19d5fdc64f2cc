import Enrollment
import Foundation
import PKI
import TestKit
import Testing
import X509

struct RenewalTests {
    @Test func `the same key renews and another key rekeys (EST-34)`() async throws {
        let bench = try Bench()
        let first = try await bench.enrolled()
        let second = try await bench.credential(bench.renew(first, key: first.key), key: first.key)
        let newKey = try DeviceKey.make()
        let third = try await bench.credential(bench.renew(second, key: newKey), key: newKey)
        #expect(Set([first.der, second.der, third.der]).count == 3)
        #expect(second.certificate.subject == first.certificate.subject)
        #expect(third.certificate.publicKey == newKey.publicKey)
        #expect(bench.record.attempts.map(\.rule) == ["open-first", "renew", "rekey"])
        #expect(bench.record.attempts.map(\.credentialKind) == [.idevid, .ldevid, .ldevid])
    }

    @Test func `a device whose answer was lost gets the same bytes for the same new key (EST-35)`() async throws {
        let bench = try Bench()
        let old = try await bench.enrolled()
        let key = try DeviceKey.make()
        let lost = try await bench.renew(old, key: key)
        bench.clock.advance(by: 2 * .day)
        let again = try await bench.renew(old, key: key)
        #expect(lost.certificate != nil)
        #expect(again == lost)
        #expect(bench.record.issued.count == 2)
    }

    @Test func `a device that lost power before it saved its new key may renew once more (EST-36)`() async throws {
        let bench = try Bench()
        let old = try await bench.enrolled()
        _ = try await bench.renew(old, key: .make())
        let again = try await bench.renew(old, key: .make())
        #expect(again.certificate != nil)
        #expect(bench.record.attempts.last?.rule == "rekey-unsaved")
    }

    @Test func `the overlap ends after seven days (EST-36)`() async throws {
        let bench = try Bench()
        let old = try await bench.enrolled()
        let key = try DeviceKey.make()
        let new = try await bench.renew(old, key: key)
        bench.clock.advance(by: 7 * .day - 1)
        #expect(try await bench.renew(old, key: key) == new)
        bench.clock.advance(by: 1)
        #expect(try await bench.renew(old, key: key).reason == .certificateSuperseded)
        #expect(try await bench.renew(old, key: .make()).reason == .certificateSuperseded)
    }

    @Test func `the overlap ends when the new certificate is used (EST-36)`() async throws {
        let bench = try Bench()
        let old = try await bench.enrolled()
        let key = try DeviceKey.make()
        _ = try await bench.renew(old, key: key)
        bench.record.useCurrent(try bench.world.names("meter-1").device, of: bench.world.fleet.id)
        #expect(try await bench.renew(old, key: key).reason == .certificateSuperseded)
    }

    @Test func `a certificate two generations old does not renew`() async throws {
        let bench = try Bench()
        let first = try await bench.enrolled()
        let second = try await bench.credential(bench.renew(first, key: first.key), key: first.key)
        _ = try await bench.renew(second, key: first.key)
        #expect(try await bench.renew(first, key: first.key).reason == .certificateSuperseded)
    }

    @Test func `a certificate that an IDevID's new enrollment replaced does not renew`() async throws {
        let bench = try Bench()
        let old = try await bench.enrolled()
        _ = try await bench.enroll(bench.world.idevid("meter-1"), key: .make())
        #expect(try await bench.renew(old, key: .make()).reason == .certificateSuperseded)
    }

    @Test func `a repeated answer is never a certificate that has expired`() async throws {
        // The fleet's lifetime was cut to a day between the two certificates of this device.
        let world = try TestFleet(lifetime: .seconds(86_400))
        let bench = try Bench(world: world)
        let device = try world.names("meter-1").device
        let key = try DeviceKey.make()
        var draft = try ClientCertificateDraft()
        draft.subject = try await bench.enrolled().certificate.subject
        draft.otherExtensions = [
            try Certificate.Extension(
                SubjectAlternativeNames([
                    .uniformResourceIdentifier(world.names("meter-1").spiffeID(world.fleet.profile))
                ]),
                critical: false
            )
        ]
        let old = try TestCredential(key: key, der: draft.signed(by: world.issuing, for: key.publicKey))
        let current = try #require(bench.record.issued.last)
        // The older certificate becomes the one that the current one renewed.
        let newKey = try DeviceKey.make()
        let renewed = try world.prepared(for: "meter-1", key: newKey.publicKey)
        let outcome = try await bench.record.commit(
            EnrollmentEntry(
                attempt: try #require(bench.record.attempts.last),
                issuance: Issuance(
                    device: device,
                    issuer: world.fleet.record.issuerID,
                    certificate: renewed,
                    publicKeySHA256: newKey.sha256,
                    replaces: current.serialNumber,
                    renewableSerialNumber: Array(old.certificate.serialNumber.bytes),
                    idevidAnchor: nil
                )
            )
        )
        #expect(outcome == .recorded)
        bench.clock.advance(by: 2 * .day)
        let answer = try bench.credential(await bench.renew(old, key: newKey), key: newKey)
        #expect(answer.certificate.notValidAfter > bench.clock.now)
    }

    @Test func `a revoked device is refused at renewal and at enrollment with the same key`() async throws {
        let bench = try Bench()
        let idevid = try bench.world.idevid("meter-1")
        let key = try DeviceKey.make()
        let held = try await bench.credential(bench.enroll(idevid, key: key), key: key)
        bench.record.change(
            try bench.world.names("meter-1").device,
            of: bench.world.fleet.id,
            .revoke(.unspecified, comment: nil)
        )
        #expect(try await bench.renew(held, key: key).reason == .certificateRevoked)
        #expect(try await bench.renew(held, key: .make()).reason == .certificateRevoked)
        #expect(try await bench.enroll(idevid, key: key).reason == .certificateRevoked)
        #expect(bench.record.issued.count == 1)
    }

    @Test func `an expired certificate does not renew (EST-35)`() async throws {
        let bench = try Bench()
        let held = try await bench.enrolled()
        bench.clock.advance(by: 90 * .day + 1)
        #expect(try await bench.renew(held, key: held.key).reason == .certificateNotValid)
        #expect(bench.record.attempts.last?.refusal?.detail.contains("expired") == true)
    }

    @Test func `names at renewal are those of the certificate, neither more nor less (EST-32)`() async throws {
        let bench = try Bench()
        let held = try await bench.enrolled()
        let own = try held.certificate.extensions.subjectAlternativeNames.map { Array($0) }
        let subject = held.certificate.subject
        func submit(_ subject: DistinguishedName, _ names: [GeneralName]?) async throws -> RefusalReason? {
            let draft = RequestDraft(held.key, subject: subject, names: names)
            return await bench.submit(.simpleReenroll, as: held.client, request: .success(try draft.der())).reason
        }
        #expect(try await submit(.init(commonName: "meter-2@meters"), own) == .subjectMismatch)
        #expect(try await submit(.empty, own) == .subjectMismatch)
        #expect(try await submit(subject, nil) == .namesNotAllowed)
        #expect(try await submit(subject, (own ?? []) + [.dnsName("meter-1.example")]) == .namesNotAllowed)
        #expect(try await submit(subject, (own ?? []) + (own ?? [])) == .namesNotAllowed)
        #expect(try await submit(subject, own) == nil)
    }

    @Test func `an operational certificate is not a bootstrap credential (EST-06)`() async throws {
        let bench = try Bench()
        let held = try await bench.enrolled()
        #expect(try await bench.enroll(held, key: .make()).reason == .bootstrapCredentialRequired)
    }
}
