import Enrollment
import EnrollmentPostgres
import Foundation
import OpenSSL
import Testing

@testable import muster

/// What `muster crl check` finds in an OCSP answer, beside what the record says.
@Suite struct OCSPCheckTests {
    private static let now = Date(timeIntervalSince1970: 1_768_478_400)
    private static let serial: [UInt8] = [0x4D, 1, 2, 3, 4, 5, 6, 7, 8]
    private static let revoked = PostgresCRLReading.Revoked(
        serialNumber: serial,
        reason: .keyCompromise,
        revokedAt: now.addingTimeInterval(0.4),
        notAfter: now.addingTimeInterval(86_400)
    )

    @Test(arguments: [
        (OCSPQuestion.Answer.Status.good, false, nil),
        (.revoked(reason: 1, at: now), true, nil),
        (.good, true, "calls 4d0102030405060708 good, which is revoked for keyCompromise"),
        (.unknown, false, "does not know 4d0102030405060708"),
        (.revoked(reason: 1, at: now), false, "calls 4d0102030405060708 revoked for reason 1, and it is not"),
        (.revoked(reason: 6, at: now), true, "for reason 6, not 1 (keyCompromise)"),
        (
            .revoked(reason: 1, at: now.addingTimeInterval(-60)), true,
            "revoked 2026-01-15 11:59:00Z, not 2026-01-15 12:00:00Z"
        ),
    ])
    func `an answer is compared in status, reason and time`(
        said: OCSPQuestion.Answer.Status,
        isRevoked: Bool,
        finding: String?
    ) {
        let found = OCSPCheck.finding(said, wanted: isRevoked ? Self.revoked : nil, serial: Self.serial)
        #expect(finding.map { found?.contains($0) == true } ?? (found == nil), "\(found ?? "nothing")")
    }
}
