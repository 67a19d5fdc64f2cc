import Enrollment
import Foundation
import PKI
import TestKit
import Testing
import X509

struct FirstEnrollmentTests {
    @Test func `an IDevID's holder gets a certificate that names the device and is in the record`() async throws {
        let bench = try Bench()
        let key = try DeviceKey.make()
        let result = try await bench.enroll(bench.world.idevid("meter-1"), key: key)
        let issued = try bench.credential(result, key: key)
        let names = try bench.world.names("meter-1")
        #expect(issued.certificate.subject.commonName == "meter-1@meters")
        #expect(issued.certificate.subject.serialNumberAttribute == "meter-1")
        #expect(issued.certificate.publicKey == key.publicKey)
        #expect(
            try issued.certificate.extensions.subjectAlternativeNames.map { Array($0) }
                == [.uniformResourceIdentifier(names.spiffeID(bench.world.fleet.profile))]
        )
        #expect(bench.record.issued.map(\.der) == [issued.der])
        let attempt = try #require(bench.record.attempts.only)
        #expect(attempt.outcome == .issued)
        #expect(attempt.stage == .issue)
        #expect(attempt.rule == "open-first")
        #expect(attempt.device == names.device)
        #expect(attempt.credentialKind == .idevid)
        #expect(attempt.anchor == TestFleet.manufacturerID)
        #expect(attempt.serialNumber == Array(issued.certificate.serialNumber.bytes))
        #expect(bench.record.audit.map(\.subject) == ["meter-1@meters"])
    }

    @Test func `the same key gets the same bytes again, however often a device asks`() async throws {
        let bench = try Bench()
        let (credential, key) = (try bench.world.idevid("meter-1"), try DeviceKey.make())
        let first = try await bench.enroll(credential, key: key)
        bench.clock.advance(by: 3 * .day)
        let second = try await bench.enroll(credential, key: key)
        #expect(first.certificate != nil)
        #expect(first == second)
        #expect(bench.record.issued.count == 1)
        #expect(bench.record.attempts.map(\.outcome) == [.issued, .repeated])
    }

    @Test func `once its certificate has expired, the same key gets a new one`() async throws {
        let bench = try Bench()
        let (credential, key) = (try bench.world.idevid("meter-1"), try DeviceKey.make())
        let first = try await bench.enroll(credential, key: key)
        bench.clock.advance(by: 91 * .day)
        let second = try await bench.enroll(credential, key: key)
        #expect(second.certificate != nil)
        #expect(second != first)
        #expect(bench.record.attempts.map(\.rule) == ["open-first", "same-key-expired"])
    }

    @Test func `an IDevID may replace its device's key`() async throws {
        let bench = try Bench()
        let credential = try bench.world.idevid("meter-1")
        let first = try await bench.enroll(credential, key: .make())
        let second = try await bench.enroll(credential, key: .make())
        #expect(second.certificate != nil)
        #expect(second != first)
        #expect(bench.record.attempts.last?.rule == "idevid-replaces")
    }

    @Test func `a claim enrolls the device that its request names, with or without the fleet's name`() async throws {
        let bench = try Bench()
        let claim = try bench.world.claim()
        for name in ["meter-1", "meter-2@meters"] {
            let result = try await bench.enroll(claim, key: .make(), subject: DistinguishedName(commonName: name))
            #expect(result.certificate != nil)
        }
        #expect(bench.record.attempts.map(\.device?.text) == ["meter-1", "meter-2"])
        #expect(bench.record.attempts.map(\.credentialKind) == [.claim, .claim])
    }

    @Test func `a claim cannot take over a device that has a key, whoever enrolled it`() async throws {
        let bench = try Bench()
        _ = try await bench.enrolled("meter-1")
        let result = try await bench.enroll(
            bench.world.claim(),
            key: .make(),
            subject: DistinguishedName(commonName: "meter-1")
        )
        #expect(result.reason == .deviceHasAnotherKey)
        #expect(bench.record.issued.count == 1)
    }

    @Test func `an IDevID takes over a device that only a claim had proved`() async throws {
        let bench = try Bench()
        _ = try await bench.enroll(bench.world.claim(), key: .make(), subject: .init(commonName: "meter-1"))
        let result = try await bench.enroll(bench.world.idevid("meter-1"), key: .make())
        #expect(result.certificate != nil)
    }

    @Test func `another manufacturer's IDevID of the same name is not the device`() async throws {
        let bench = try Bench()
        _ = try await bench.enrolled("meter-1")
        let impostor = try bench.world.idevid("meter-1", by: bench.world.otherManufacturer)
        let result = try await bench.enroll(impostor, key: .make())
        #expect(result.reason == .deviceOfAnotherAnchor)
        #expect(bench.record.issued.count == 1)
    }

    @Test func `a MAC address in an IDevID becomes a DeviceID with dashes`() async throws {
        let bench = try Bench()
        let result = try await bench.enroll(bench.world.idevid("00:1A:2B:3C:4D:5E"), key: .make())
        #expect(result.certificate != nil)
        #expect(bench.record.attempts.only?.device?.text == "00-1A-2B-3C-4D-5E")
    }

    @Test func `what an IDevID's subject says may stand in the request too (C-03)`() async throws {
        let bench = try Bench()
        let credential = try bench.world.idevid("meter-1")
        let result = try await bench.enroll(credential, key: .make(), subject: credential.certificate.subject)
        #expect(result.certificate != nil)
    }

    @Test(arguments: DeviceKey.Kind.allCases)
    func `every kind of key is certified`(_ kind: DeviceKey.Kind) async throws {
        let bench = try Bench()
        let key = try DeviceKey.make(kind)
        let result = try await bench.enroll(bench.world.idevid("meter-1"), key: key)
        #expect(try bench.credential(result, key: key).certificate.publicKey == key.publicKey)
    }

    @Test func `a bootstrap credential at simplereenroll is a first enrollment, as some clients send it`() async throws
    {
        let bench = try Bench()
        let result = try await bench.submit(
            .simpleReenroll,
            as: bench.world.idevid("meter-1").client,
            request: .success(RequestDraft(.make()).der())
        )
        #expect(result.certificate != nil)
    }
}

extension Collection {
    /// The one element, if there is just one.
    var only: Element? { count == 1 ? first : nil }
}
