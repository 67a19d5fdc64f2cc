import Enrollment
import Foundation
import TestKit
import Testing

/// CRLs in memory, as they are given out.
struct PublishedCRLsTests {
    private static let scope = CRLScope(issuer: IssuerID(1), shard: 7)

    /// Puts one list after another, each with a number and its second.
    /// - Returns: Whether the last one's date tells it from all others.
    private static func hasOwnSecond(_ lists: (number: Int64, second: Double)...) throws -> Bool {
        let crls = PublishedCRLs()
        for (number, second) in lists {
            let time = TestClock.start.addingTimeInterval(second)
            crls.put([
                scope: PublishedCRL(
                    issuerName: "example",
                    number: number,
                    thisUpdate: time,
                    nextUpdate: time.addingTimeInterval(3_600),
                    list: PublishedCRL.Document([UInt8(number)]),
                    delta: PublishedCRL.Document([])
                )
            ])
        }
        #expect(crls.number(of: scope) == lists.last?.number)
        return try #require(crls.list(issuer: "example", shard: 7)).hasOwnSecond
    }

    // RFC 9110 section 8.8.2.2: such a date is a weak validator.
    @Test func `a list that was signed in the same second as another is not told by its date`() throws {
        #expect(try Self.hasOwnSecond((1, 0)))
        #expect(try Self.hasOwnSecond((1, 0), (2, 1)))
        #expect(try !Self.hasOwnSecond((1, 0), (2, 0)))
        #expect(try !Self.hasOwnSecond((1, 0), (2, 0), (3, 0)))
        #expect(try Self.hasOwnSecond((1, 0), (2, 0), (3, 5)))
    }

    @Test func `nor is one before which others may have been that this server did not see`() throws {
        #expect(try !Self.hasOwnSecond((4, 0)))
        #expect(try !Self.hasOwnSecond((1, 0), (3, 1)))
    }
}
