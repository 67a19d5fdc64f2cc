package import Foundation

/// The times of certificates and CRLs, of which a list may have a million: UTCTime through 2049, GeneralizedTime from 2050,
/// both to the second (RFC 5280 sections 4.1.2.5 and 5.1.2.4 to 5.1.2.6).
package enum DERTime {
    private static let utcTimeDigits = 12
    private static let utcTimeYears = 1950..<2050

    /// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, of 2000 and later.
    package static func date(_ text: ArraySlice<UInt8>, isUTCTime: Bool) -> Date? {
        guard text.count == utcTimeDigits + (isUTCTime ? 1 : 3),
            text.dropLast().allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        // Where the year's last two digits stand.
        let start = text.startIndex + (isUTCTime ? 0 : 2)
        func number(_ place: Int) -> Int32 { Int32(text[place]) * 10 + Int32(text[place + 1]) - 0x30 * 11 }
        var parts = unsafe tm()
        unsafe parts.tm_year = (isUTCTime ? 20 : number(text.startIndex)) * 100 + number(start) - 1900
        unsafe parts.tm_mon = number(start + 2) - 1
        unsafe parts.tm_mday = number(start + 4)
        unsafe parts.tm_hour = number(start + 6)
        unsafe parts.tm_min = number(start + 8)
        unsafe parts.tm_sec = number(start + 10)
        return Date(timeIntervalSince1970: Double(unsafe timegm(&parts)))
    }

    /// One time, DER. Nil if the year has not four digits.
    package static func der(_ date: Date) -> [UInt8]? {
        guard var seconds = Int(exactly: date.timeIntervalSince1970.rounded(.down)) else { return nil }
        var parts = unsafe tm()
        guard unsafe gmtime_r(&seconds, &parts) != nil else { return nil }
        let year = unsafe Int(parts.tm_year) + 1900
        guard (0...9999).contains(year) else { return nil }
        let isUTCTime = utcTimeYears.contains(year)
        var content: [UInt8] = []
        content.reserveCapacity(utcTimeDigits + 3)
        func append(_ number: Int) {
            content.append(UInt8(0x30 + number / 10))
            content.append(UInt8(0x30 + number % 10))
        }
        if !isUTCTime { append(year / 100) }
        append(year % 100)
        unsafe append(Int(parts.tm_mon) + 1)
        unsafe append(Int(parts.tm_mday))
        unsafe append(Int(parts.tm_hour))
        unsafe append(Int(parts.tm_min))
        unsafe append(Int(parts.tm_sec))
        content.append(0x5A)
        return DERElement.encoded(isUTCTime ? DERElement.utcTime : DERElement.generalizedTime, content)
    }
}
