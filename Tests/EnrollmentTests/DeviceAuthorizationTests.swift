import Enrollment
import Foundation
import PKI
import Synchronization
import TestKit
import Testing

/// Whom a gateway is told to let in.
struct DeviceAuthorizationTests {
    private final class OneCertificate: PresentedCertificateRecord {
        private let state = Mutex<(found: PresentedCertificate?, changes: UInt64, failure: RecordError?)>((nil, 0, nil))
        let asked = Atomic<Int>(0)

        func set(_ found: PresentedCertificate?) {
            state.withLock {
                $0.found = found
                $0.changes += 1
            }
        }
        func fail(_ failure: RecordError?) { state.withLock { $0.failure = failure } }

        var changes: UInt64 { state.withLock { $0.changes } }

        func holds(_ certificate: PresentedCertificate, since then: UInt64) -> Bool { then == changes }

        func certificate(
            _ der: [UInt8],
            serialNumber: [UInt8]
        ) async throws(RecordError) -> PresentedCertificate? {
            asked.add(1, ordering: .relaxed)
            let (found, _, failure) = state.withLock { $0 }
            if let failure { throw failure }
            return found
        }
    }

    private static func certificate(
        _ world: TestFleet,
        revoked: RevocationReason? = nil,
        isTrusted: Bool = true
    ) throws -> PresentedCertificate {
        PresentedCertificate(
            device: try world.names("meter-1").device,
            fleet: world.fleet.name,
            notBefore: TestClock.start,
            notAfter: TestClock.start.addingTimeInterval(.day),
            revoked: revoked,
            isTrusted: isTrusted
        )
    }

    @Test(
        arguments: [
            (nil, true, 1.0, nil), (.keyCompromise, true, 1.0, .revoked), (.certificateHold, true, 1.0, .onHold),
            (nil, false, 1.0, .untrustedIssuer), (nil, true, -1.0, .notYetValid), (nil, true, 86_401.0, .expired),
            (.superseded, false, 86_401.0, .revoked),
        ] as [(RevocationReason?, Bool, Double, DeviceVerdict.Denial?)]
    )
    func `each thing that is wrong with a certificate is told`(
        revoked: RevocationReason?,
        isTrusted: Bool,
        seconds: Double,
        denial: DeviceVerdict.Denial?
    ) async throws {
        let world = try TestFleet()
        let record = OneCertificate()
        record.set(try Self.certificate(world, revoked: revoked, isTrusted: isTrusted))
        let authorization = DeviceAuthorization(record: record)
        let verdict = try await authorization.verdict(
            on: world.issuer.der,
            at: TestClock.start.addingTimeInterval(seconds)
        )
        #expect(verdict.denial == denial && verdict.isAllowed == (denial == nil))
        #expect(verdict.certificate?.device.text == "meter-1")
    }

    @Test func `a judgement is kept until the record changes, and what is unknown is asked again`() async throws {
        let world = try TestFleet()
        let record = OneCertificate()
        let authorization = DeviceAuthorization(record: record)
        func denial(_ der: [UInt8]) async throws -> DeviceVerdict.Denial? {
            try await authorization.verdict(on: der, at: TestClock.start).denial
        }
        #expect(try await denial([1, 2, 3]) == .unreadable && record.asked.load(ordering: .relaxed) == 0)
        #expect(try await denial([UInt8](repeating: 0x30, count: 1 << 20)) == .unreadable)
        #expect(try await denial(world.issuer.der) == .unknown)
        #expect(try await denial(world.issuer.der) == .unknown)
        #expect(record.asked.load(ordering: .relaxed) == 2)
        record.set(try Self.certificate(world))
        #expect(try await denial(world.issuer.der) == nil)
        record.fail(.unavailable("no route"))
        #expect(try await denial(world.issuer.der) == nil)
        // What may have changed is not said while the record cannot be asked.
        record.set(try Self.certificate(world, revoked: .keyCompromise))
        await #expect(throws: RecordError.self) { _ = try await denial(world.issuer.der) }
        record.fail(nil)
        #expect(try await denial(world.issuer.der) == .revoked)
    }

    @Test func `no judgement is kept for longer than it may be, though no change was noticed`() async throws {
        let world = try TestFleet()
        let record = OneCertificate()
        record.set(try Self.certificate(world))
        for (keptMax, asked) in [(Duration.seconds(600), 1), (.zero, 3)] {
            let before = record.asked.load(ordering: .relaxed)
            let authorization = DeviceAuthorization(record: record, keptMax: keptMax)
            for _ in 0..<3 {
                #expect(try await authorization.verdict(on: world.issuer.der, at: TestClock.start).isAllowed)
            }
            #expect(record.asked.load(ordering: .relaxed) - before == asked)
        }
    }
}
