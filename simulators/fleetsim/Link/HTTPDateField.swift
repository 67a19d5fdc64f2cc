import Foundation

/// The Date field of an answer, in the form that servers send: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
enum HTTPDateField {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Nil if `text` is not such a date.
    static func parse(_ text: String) -> Date? {
        let words = text.split(separator: " ")
        guard text.utf8.count == 29, words.count == 6, words[5] == "GMT",
            let month = months.firstIndex(of: String(words[2])), let day = Int(words[1]), let year = Int(words[3])
        else { return nil }
        let time = words[4].split(separator: ":").compactMap { Int($0) }
        guard (1...31).contains(day), (1970...9999).contains(year), time.count == 3, (0...23).contains(time[0]),
            (0...59).contains(time[1]), (0...60).contains(time[2])
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar.date(
            from: DateComponents(
                year: year,
                month: month + 1,
                day: day,
                hour: time[0],
                minute: time[1],
                second: time[2]
            )
        )
    }
}
