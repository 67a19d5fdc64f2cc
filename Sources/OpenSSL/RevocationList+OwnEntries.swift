import DEROctets
import Foundation

extension RevocationList {
    /// The most octets of a serial number (RFC 5280 section 5.1.2.6 by way of section 4.1.2.2).
    static let serialOctetsMax = 20

    /// The number and the entries of a list that `signed` made, read fast: from one's own record, so that no signature is
    /// asked for.
    /// - Throws: If it is no such list.
    package static func ownEntries(_ der: [UInt8]) throws(OpenSSLError) -> [Entry] {
        let octets = der[...]
        var entries: [Entry] = []
        var position = 0
        guard let list = DERElement.next(octets, &position, end: der.count) else { throw unreadable }
        position = list.content.lowerBound
        guard let signed = DERElement.next(octets, &position, end: list.content.upperBound) else { throw unreadable }
        position = signed.content.lowerBound
        // Version, algorithm, issuer and two times stand before what is revoked.
        for _ in 0..<5 {
            guard DERElement.next(octets, &position, end: signed.content.upperBound) != nil else { throw unreadable }
        }
        guard let revoked = DERElement.next(octets, &position, end: signed.content.upperBound) else { throw unreadable }
        if revoked.identifier == DERElement.context0 { return [] }
        position = revoked.content.lowerBound
        while position < revoked.content.upperBound {
            guard let entry = DERElement.next(octets, &position, end: revoked.content.upperBound) else {
                throw unreadable
            }
            var inner = entry.content.lowerBound
            guard let serial = DERElement.next(octets, &inner, end: entry.content.upperBound),
                let time = DERElement.next(octets, &inner, end: entry.content.upperBound)
            else { throw unreadable }
            guard let date = DERTime.date(der[time.content], isUTCTime: time.identifier == DERElement.utcTime)
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
