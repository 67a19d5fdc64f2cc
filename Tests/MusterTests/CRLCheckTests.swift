import Enrollment
import EnrollmentPostgres
import Foundation
import OpenSSL
import PKI
import Testing

@testable import muster

/// What `muster crl check` finds in a list, beside what the record wants in it.
@Suite struct CRLCheckTests {
    private static let now = Date(timeIntervalSince1970: 1_768_478_400)
    private static let serial: [UInt8] = [0x4D, 1, 2, 3, 4, 5, 6, 7, 8]

    private static func revoked(
        _ reason: RevocationReason = .keyCompromise,
        notAfter: Date = now.addingTimeInterval(86_400)
    ) -> PostgresCRLReading.Revoked {
        PostgresCRLReading.Revoked(
            serialNumber: serial,
            reason: reason,
            revokedAt: now.addingTimeInterval(0.4),
            notAfter: notAfter
        )
    }

    private static func findings(
        _ entries: [RevocationList.Entry],
        wanted: [PostgresCRLReading.Revoked],
        number: Int64 = 5,
        thisUpdate: Date = now,
        nextUpdate: Date = now.addingTimeInterval(86_400)
    ) -> [String] {
        let list = RevocationList(
            number: number,
            thisUpdate: thisUpdate,
            nextUpdate: nextUpdate,
            places: [],
            entries: entries
        )
        return CRLCheck.findings(list, wanted: wanted, numberMin: 5, at: now)
    }

    private static func entry(_ reason: UInt8 = 1, at: Date = now) -> RevocationList.Entry {
        RevocationList.Entry(serialNumber: serial, revokedAt: at, reason: reason)
    }

    @Test func `a list that has what the record has is well`() {
        #expect(Self.findings([], wanted: []) == [])
        #expect(Self.findings([Self.entry()], wanted: [Self.revoked()]) == [])
        // What ended before the list was signed may be missing, and may still be there.
        let ended = Self.revoked(notAfter: Self.now.addingTimeInterval(-1))
        #expect(Self.findings([], wanted: [ended]) == [])
        #expect(Self.findings([Self.entry()], wanted: [ended]) == [])
    }

    @Test func `what is missing, too much or otherwise is said with its serial number`() {
        let serial = "4d0102030405060708"
        #expect(
            Self.findings([], wanted: [Self.revoked()])
                == ["lacks \(serial), revoked 2026-01-15 12:00:00Z for keyCompromise"]
        )
        #expect(
            Self.findings([Self.entry()], wanted: []) == ["has \(serial), which the record does not have as revoked"]
        )
        #expect(
            Self.findings([Self.entry(4)], wanted: [Self.revoked()])
                == ["has \(serial) for reason 4, not 1 (keyCompromise)"]
        )
        let later = Self.findings([Self.entry(at: Self.now.addingTimeInterval(60))], wanted: [Self.revoked()])
        #expect(later == ["has \(serial) revoked 2026-01-15 12:01:00Z, not 2026-01-15 12:00:00Z"])
        #expect(
            Self.findings([Self.entry(), Self.entry()], wanted: [Self.revoked()]) == ["names a serial number twice"]
        )
    }

    @Test func `a list that is old, has ended or lies ahead is said to be so`() {
        #expect(Self.findings([], wanted: [], number: 4) == ["has number 4; the record has 5 already"])
        #expect(
            Self.findings([], wanted: [], nextUpdate: Self.now)
                == ["has ended: nextUpdate is 2026-01-15 12:00:00Z"]
        )
        #expect(
            Self.findings([], wanted: [], thisUpdate: Self.now.addingTimeInterval(60))
                == ["lies ahead: thisUpdate is 2026-01-15 12:01:00Z; compare the clocks"]
        )
    }
}
