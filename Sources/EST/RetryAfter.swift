/// The `Retry-After` field (RFC 9110 section 10.2.3). Sent as seconds, since strongSwan reads digits only; read in both
/// forms.
package enum RetryAfter {
    /// The longest wait that is believed or sent, in seconds: a week.
    package static let secondsMax = 7 * 24 * 3600

    /// The field's value: whole seconds, rounded up, at least 1.
    package static func format(_ wait: Duration) -> String {
        let (seconds, attoseconds) = wait.components
        let whole = attoseconds > 0 ? seconds &+ 1 : seconds
        return String(Swift.min(Swift.max(whole, 1), Int64(secondsMax)))
    }

    /// How long to wait; nil if the value is neither seconds nor an HTTP date.
    /// - Parameter now: Seconds since 1970, against which a date is counted. A date that has passed means no wait.
    package static func parse(_ value: String, now: Int64) -> Duration? {
        let text = value.trimmingBlanks
        guard (1...HTTPDate.length).contains(text.utf8.count) else { return nil }
        if let seconds = digits(text.utf8) { return .seconds(Swift.min(seconds, secondsMax)) }
        guard let date = HTTPDate.parse(text) else { return nil }
        return .seconds(Swift.min(Swift.max(date - now, 0), Int64(secondsMax)))
    }

    private static func digits(_ text: Substring.UTF8View) -> Int? {
        guard text.count <= 18 else { return nil }
        var value = 0
        for octet in text {
            guard (0x30...0x39).contains(octet) else { return nil }
            value = value * 10 + Int(octet - 0x30)
        }
        return value
    }
}

/// HTTP dates in the one form that is still made, IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110
/// section 5.6.7).
enum HTTPDate {
    static let length = 29
    private static let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970; nil if `text` is not such a date.
    static func parse(_ text: Substring) -> Int64? {
        let octets = Array(text.utf8)
        guard octets.count == length, days.contains(where: { $0.utf8.elementsEqual(octets[..<3]) }), octets[3] == 0x2C,
            octets[25...].elementsEqual(" GMT".utf8),
            [4, 7, 11, 16].allSatisfy({ octets[$0] == 0x20 }), octets[19] == 0x3A, octets[22] == 0x3A,
            let day = number(octets[5..<7]), let year = number(octets[12..<16]),
            let month = months.firstIndex(where: { $0.utf8.elementsEqual(octets[8..<11]) }),
            let hour = number(octets[17..<19]), let minute = number(octets[20..<22]),
            let second = number(octets[23..<25]),
            (1...31).contains(day), year >= 1970, hour < 24, minute < 60, second <= 60
        else { return nil }
        return daysSince1970(year: year, month: month + 1, day: day) * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        var value: Int64 = 0
        for octet in digits {
            guard (0x30...0x39).contains(octet) else { return nil }
            value = value * 10 + Int64(octet - 0x30)
        }
        return value
    }

    /// Days of the Gregorian calendar, with years that begin in March so that the leap day comes last.
    private static func daysSince1970(year: Int64, month: Int, day: Int64) -> Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let marchMonth = Int64((month + 9) % 12)
        let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
        return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
    }
}

extension String {
    /// Without spaces and TABs at its ends.
    fileprivate var trimmingBlanks: Substring {
        // By octets: a blank may share its Character with what stands beside it.
        var text = utf8[...]
        while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
        while let first = text.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        return Substring(text)
    }
}
