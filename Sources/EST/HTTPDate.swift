/// HTTP dates in the one form that is still made, IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110
/// section 5.6.7).
package enum HTTPDate {
    /// Octets of a date.
    package static let length = 29

    // 1970 began on a Thursday.
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    /// 9999-12-31T23:59:59Z: what comes later has no such form.
    private static let secondsMax: Int64 = 253_402_300_799

    /// Seconds since 1970; nil if `text` is not such a date. The day's name is not compared with the date.
    package static func parse(_ text: some StringProtocol) -> Int64? {
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

    /// The date of so many seconds since 1970; what lies before 1970 or after 9999 gives the nearest date within.
    package static func format(_ seconds: Int64) -> String {
        let seconds = Swift.min(Swift.max(seconds, 0), secondsMax)
        let (day, time) = seconds.quotientAndRemainder(dividingBy: 86_400)
        let date = civil(day)
        return "\(days[Int(day % 7)]), \(two(date.day)) \(months[date.month - 1]) \(date.year) "
            + "\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60)) GMT"
    }

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

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

    /// The date of a day since 1970, by the same years.
    private static func civil(_ day: Int64) -> (year: Int64, month: Int, day: Int64) {
        let shifted = day + 719_468
        let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
