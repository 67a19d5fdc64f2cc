import Foundation
import OpenSSL
import PKI
import SwiftASN1
import TestKit
import TestPeers
import Testing

/// Requests and answers of OCSP, with libcrypto as the relying party.
struct OCSPResponderTests {
    private static let serial: [UInt8] = [0x4D, 1, 2, 3, 4, 5, 6, 7, 0x88]

    private static func question(_ world: TestFleet, _ digest: DigestAlgorithm? = nil) -> OCSPQuestion {
        OCSPQuestion(issuer: world.issuer.der, serialNumber: serial, digest: digest)
    }

    private static func answer(
        _ world: TestFleet,
        _ question: OCSPQuestion,
        _ status: OCSPStatus
    ) throws -> OCSPQuestion.Answer {
        let responder = try OCSPResponder(issuer: world.issuer, now: TestClock.start)
        let request = try OCSPRequest(der: try question.request())
        let certificate = try #require(request.certificates.first)
        #expect(responder.answers(for: certificate) && certificate.serialNumber == serial)
        let der = try responder.sign(
            [(certificate, status)],
            nonce: nil,
            thisUpdate: TestClock.start,
            nextUpdate: TestClock.start.addingTimeInterval(.day)
        )
        return try question.read(der, root: world.root.der, at: TestClock.start)
    }

    // O-03, O-06, O-07
    @Test(arguments: [nil, DigestAlgorithm.sha256])
    func `a relying party reads each status, whichever hash it names the issuer by`(
        digest: DigestAlgorithm?
    ) throws {
        let world = try TestFleet()
        let question = Self.question(world, digest)
        let good = try Self.answer(world, question, .good)
        #expect(good.status == .good && good.thisUpdate == TestClock.start)
        #expect(good.nextUpdate == TestClock.start.addingTimeInterval(.day))
        let at = TestClock.start.addingTimeInterval(-60)
        for reason in [0, 1, 6, 9] as [UInt8] {
            let revoked = try Self.answer(world, question, .revoked(reason: reason, at: at))
            #expect(revoked.status == .revoked(reason: Int(reason), at: at))
        }
        #expect(try Self.answer(world, question, .unknown).status == .unknown)
    }

    @Test func `an answer of another issuer's responder is refused by the relying party`() throws {
        let world = try TestFleet()
        let other = try TestFleet()
        let question = Self.question(world)
        let certificate = try #require(try OCSPRequest(der: try question.request()).certificates.first)
        let responder = try OCSPResponder(issuer: other.issuer, now: TestClock.start)
        #expect(!responder.answers(for: certificate))
        let der = try responder.sign(
            [(certificate, .good)],
            nonce: nil,
            thisUpdate: TestClock.start,
            nextUpdate: TestClock.start.addingTimeInterval(.day)
        )
        #expect(throws: OpenSSLError.self) {
            _ = try question.read(der, root: world.root.der, at: TestClock.start)
        }
        for (error, words) in [(OCSPError.tryLater, "trylater"), (.unauthorized, "unauthorized")] {
            let thrown = #expect(throws: OpenSSLError.self) {
                _ = try question.read(error.der, root: world.root.der, at: TestClock.start)
            }
            #expect(thrown.map { "\($0)".contains(words) } == true)
        }
    }

    // O-06, X-13
    @Test func `the responder's certificate is for OCSP alone, short-lived, and names no place to ask about it`()
        async throws
    {
        let world = try TestFleet()
        let responder = try OCSPResponder(issuer: world.issuer, now: TestClock.start)
        let text = try await Program.run(
            "openssl",
            ["x509", "-noout", "-text"],
            input: PEMDocument(type: "CERTIFICATE", derBytes: responder.certificate).pemString.utf8.map { $0 }
        ).text
        for line in ["OCSP Signing", "OCSP No Check", "Digital Signature", "Authority Key Identifier"] {
            #expect(text.contains(line), "\(line)")
        }
        for line in ["CRL Distribution", "Authority Information Access", "CA:TRUE", "TLS Web"] {
            #expect(!text.contains(line), "\(line)")
        }
        #expect(responder.notAfter.timeIntervalSince(TestClock.start) == 7 * .day)
    }

    // O-08
    @Test(arguments: [(0, false), (1, true), (16, true), (32, true), (128, true), (129, false)])
    func `a nonce of 1 to 128 octets is taken`(octets: Int, isTaken: Bool) throws {
        let world = try TestFleet()
        let nonce = (0..<octets).map { UInt8(truncatingIfNeeded: $0) }
        let der = HandmadeOCSPRequest(try Self.question(world).request()).with(nonce: nonce)
        if isTaken {
            #expect(try OCSPRequest(der: der).nonce == nonce)
        } else {
            #expect(throws: OCSPRequestDefect.self) { _ = try OCSPRequest(der: der) }
        }
    }

    // O-02, O-05
    @Test func `requests that are none are told apart from such that are`() throws {
        let world = try TestFleet()
        let whole = try Self.question(world).request()
        let made = HandmadeOCSPRequest(whole)
        #expect(try OCSPRequest(der: made.with(count: OCSPRequest.certificatesMax)).certificates.count == 32)
        let wrong = [
            [], [0x30, 0x00], Array(whole.dropLast()), whole + [0x00], made.with(count: 0),
            made.with(count: OCSPRequest.certificatesMax + 1), made.with(version: 1),
            made.with(nonce: [1, 2, 3], criticalOID: [0x2A, 0x03]),
            [UInt8](repeating: 0x30, count: OCSPRequest.octetsMax + 1),
        ]
        for der in wrong {
            #expect(throws: OCSPRequestDefect.self, "\(der.prefix(40))") { _ = try OCSPRequest(der: der) }
        }
        // A request that is changed in one octet is refused or names another certificate; it never fails otherwise.
        let original = try OCSPRequest(der: whole)
        for index in whole.indices {
            var changed = whole
            changed[index] ^= 0x41
            let request = try? OCSPRequest(der: changed)
            #expect(request != original, "octet \(index)")
        }
    }
}
