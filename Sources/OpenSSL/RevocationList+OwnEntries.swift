import Foundation

extension RevocationList {
    /// The most octets of a serial number (RFC 5280 section 5.1.2.6 by way of section 4.1.2.2).
    static let serialOctetsMax = 20
    private static let utcTimeDigits = 12

    /// The number and the entries of a list that `signed` made, read fast: from one's own record, so that no signature is
    /// asked for.
    /// - Throws: If it is no such list.
    package static func ownEntries(_ der: [UInt8]) throws(OpenSSLError) -> [Entry] {
        var entries: [Entry] = []
        var dates: [ArraySlice<UInt8>: Date] = [:]
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
            let text = der[time.content]
            let date: Date
            if let known = dates[text] {
                date = known
            } else {
                guard let read = Self.date(text, isUTCTime: time.identifier == DEREncoding.utcTime) else {
                    throw unreadable
                }
                dates[text] = read
                date = read
            }
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

    /// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, of 2000 and later.
    private static func date(_ text: ArraySlice<UInt8>, isUTCTime: Bool) -> Date? {
        var digits = text.dropLast().map { Int32($0) - 0x30 }
        if isUTCTime { digits = [2, 0] + digits }
        guard digits.count == utcTimeDigits + 2, digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
        func number(_ place: Int) -> Int32 { digits[place] * 10 + digits[place + 1] }
        var parts = unsafe tm()
        unsafe parts.tm_year = number(0) * 100 + number(2) - 1900
        unsafe parts.tm_mon = number(4) - 1
        unsafe parts.tm_mday = number(6)
        unsafe parts.tm_hour = number(8)
        unsafe parts.tm_min = number(10)
        unsafe parts.tm_sec = number(12)
        return Date(timeIntervalSince1970: Double(unsafe timegm(&parts)))
    }
}
