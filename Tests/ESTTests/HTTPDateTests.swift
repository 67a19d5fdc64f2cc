import EST
import Foundation
import Testing

/// The dates of header fields (RFC 9110 section 5.6.7).
@Suite struct HTTPDateTests {
    @Test(arguments: [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799), ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 4_070_908_800),
    ]) func `a date is read and written in one form`(text: String, seconds: Int64) {
        #expect(HTTPDate.parse(text) == seconds)
        #expect(HTTPDate.format(seconds) == text)
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 24:49:37 GMT", "yesterday", "",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 nov 1994 08:49:37 GMT",
    ]) func `anything else is no date`(text: String) {
        #expect(HTTPDate.parse(text) == nil)
    }

    @Test func `every day of four centuries has the name and number that Foundation gives it`() throws {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = .gmt
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        for day in stride(from: Int64(0), to: 146_097, by: 29) {
            let seconds = day * 86_400 + 3_661
            #expect(HTTPDate.format(seconds) == formatter.string(from: Date(timeIntervalSince1970: Double(seconds))))
            #expect(HTTPDate.parse(HTTPDate.format(seconds)) == seconds)
        }
    }

    @Test func `what has no such form gives the nearest that has`() {
        #expect(HTTPDate.format(-1) == HTTPDate.format(0))
        #expect(HTTPDate.format(.max) == "Fri, 31 Dec 9999 23:59:59 GMT")
    }
}
