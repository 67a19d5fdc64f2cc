import EST
import Testing

/// Whether who asks has a document already (RFC 9110 section 13).
@Suite struct ConditionalGetTests {
    private static let tag = "\"abc\""
    private static let date = "Fri, 02 Jan 1970 00:00:00 GMT"

    private static func isKnown(_ tags: [String], _ date: String? = nil, modified: Int64? = 86_400) -> Bool {
        ConditionalGet.isKnown(tag, modified: modified, ifNoneMatch: tags, ifModifiedSince: date)
    }

    @Test(arguments: ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*", "\t* "])
    func `a tag is found among others, weak or not`(line: String) {
        #expect(Self.isKnown([line]))
        #expect(Self.isKnown(["\"x\"", line]))
    }

    @Test(arguments: ["", "abc", "\"ABC\"", "\"abc", "w/\"abc\"", "\"abc-pem\""])
    func `another tag is another document, whatever the date says`(line: String) {
        #expect(!Self.isKnown([line], Self.date))
    }

    @Test func `by its date a document is known only if no other had it`() {
        #expect(Self.isKnown([], Self.date))
        #expect(!Self.isKnown([], Self.date, modified: nil))
        #expect(!Self.isKnown([]))
    }

    // A client that sends the time of its own download has a clock of its own too.
    @Test(arguments: ["Fri, 02 Jan 1970 00:00:01 GMT", "Thu, 01 Jan 1970 23:59:59 GMT", "today", ""])
    func `a date that was not given out with the document says nothing`(date: String) {
        #expect(!Self.isKnown([], date))
    }
}
