import Foundation

extension RevocationList {
    /// The most octets of a serial number (RFC 5280 section 5.1.2.6 by way of section 4.1.2.2).
    static let serialOctetsMax = 20

    /// The number and the entries of a list that `signed` made, read fast: from one's own record, so that no signature is
    /// asked for.
    /// - Throws: If it is no such list.
    package static func ownEntries(_ der: [UInt8]) throws(OpenSSLError) -> [Entry] {
        var entries: [Entry] = []
        var position = 0
        guard let list = DEREncoding.next(der, &position, end: der.count) else { throw unreadable }
        position = list.content.lowerBound
        guard let signed = DEREncoding.next(der, &position, end: list.content.upperBound) else { throw unreadable }
        position = signed.content.lowerBound
        // Version, algorithm, issuer and two times stand before what is revoked.
        for _ in 0..<5 {
            guard DEREncoding.next(der, &position, end: signed.content.upperBound) != nil else { throw unreadable }
        }
        guard let revoked = DEREncoding.next(der, &position, end: signed.content.upperBound) else { throw unreadable }
        if revoked.identifier == DEREncoding.explicit0 { return [] }
        position = revoked.content.lowerBound
        while position < revoked.content.upperBound {
            guard let entry = DEREncoding.next(der, &position, end: revoked.content.upperBound) else {
                throw unreadable
            }
            var inner = entry.content.lowerBound
            guard let serial = DEREncoding.next(der, &inner, end: entry.content.upperBound),
                let time = DEREncoding.next(der, &inner, end: entry.content.upperBound)
            else { throw unreadable }
            guard let date = ListedTime.date(der[time.content], isUTCTime: time.identifier == DEREncoding.utcTime)
            else { throw unreadable }
            entries.append(
                Entry(
                    serialNumber: Array(der[serial.content].drop { $0 == 0 }),
                    revokedAt: date,
                    // The reason is the last octet of the one extension that there may be.
                    reason: inner < entry.content.upperBound ? der[entry.content.upperBound - 1] : 0
                )
            )
        }
        return entries
    }

    private static var unreadable: OpenSSLError {
        OpenSSLError(operation: "read the CRL", reasons: ["it is not one that was made here"])
    }
}

/// The times of a list and of its entries, of which there may be a million: UTCTime through 2049, GeneralizedTime from 2050
/// (RFC 5280 sections 5.1.2.4 to 5.1.2.6).
enum ListedTime {
    private static let utcTimeDigits = 12
    private static let utcTimeYears = 1950..<2050

    /// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, of 2000 and later.
    static func date(_ text: ArraySlice<UInt8>, isUTCTime: Bool) -> Date? {
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
    static func der(_ date: Date) -> [UInt8]? {
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
        return DEREncoding.node(isUTCTime ? DEREncoding.utcTime : DEREncoding.generalizedTime, content)
    }
}
