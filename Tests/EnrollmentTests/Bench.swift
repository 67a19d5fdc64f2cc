import Enrollment
import Foundation
import PKI
import TestKit
import Testing
import X509

/// The enroll and renew use cases over the record in memory, with a clock that the test moves.
struct Bench {
    /// What serves now: a test may change it, as an operator does.
    var world: TestFleet
    let clock = TestClock()
    let record: InMemoryEnrollmentRecord
    let service: EnrollmentService

    init(
        world: TestFleet? = nil,
        record: InMemoryEnrollmentRecord = InMemoryEnrollmentRecord(),
        forbiddenKeys: Set<[UInt8]> = []
    ) throws {
        self.world = try world ?? TestFleet()
        self.record = record
        let clock = clock
        service = EnrollmentService(
            record: record,
            forbiddenKeys: { forbiddenKeys },
            now: { clock.now },
            logger: .quiet
        )
    }

    func submit(
        _ operation: Attempt.Operation,
        as client: PresentedClient,
        request: Result<[UInt8], Refusal>
    ) async -> EnrollmentResult {
        await service.enroll(
            EnrollmentSubmission(
                fleet: world.fleet,
                operation: operation,
                client: client,
                request: request,
                source: "192.0.2.7",
                requestID: UUID()
            )
        )
    }

    /// A first enrollment, as a bootstrap credential's holder does it.
    func enroll(
        _ credential: TestCredential,
        key: DeviceKey,
        subject: DistinguishedName = .empty,
        names: [GeneralName]? = nil
    ) async throws -> EnrollmentResult {
        try await submit(
            .simpleEnroll,
            as: credential.client,
            request: .success(RequestDraft(key, subject: subject, names: names).der())
        )
    }

    /// A renewal by an operational certificate, asking for just what it says.
    func renew(_ credential: TestCredential, key: DeviceKey) async throws -> EnrollmentResult {
        let draft = RequestDraft(
            key,
            subject: credential.certificate.subject,
            names: try credential.certificate.extensions.subjectAlternativeNames.map { Array($0) }
        )
        return await submit(.simpleReenroll, as: credential.client, request: .success(try draft.der()))
    }

    /// A device that has enrolled by its IDevID.
    func enrolled(_ device: String = "meter-1") async throws -> TestCredential {
        let key = try DeviceKey.make()
        return try await credential(enroll(world.idevid(device), key: key), key: key)
    }

    /// The operational certificate of a result, with its key.
    func credential(
        _ result: EnrollmentResult,
        key: DeviceKey,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> TestCredential {
        try TestCredential(key: key, der: #require(result.certificate, sourceLocation: sourceLocation))
    }
}

extension EnrollmentResult {
    /// DER of the certificate, if there is one.
    var certificate: [UInt8]? { if case .certificate(let der) = self { der } else { nil } }
    /// How long the device is asked to wait, if an operator is to say.
    var retryAfter: Duration? { if case .pending(let retryAfter) = self { retryAfter } else { nil } }
    /// Why it was refused, if it was.
    var reason: RefusalReason? { if case .refused(let refusal) = self { refusal.reason } else { nil } }
}
