import SwiftASN1
package import X509

/// Makes serial numbers: 20 octets, positive, unique for all practical purposes (RFC 5280 section 4.1.2.2).
package enum SerialNumber {
    /// Octets of a serial number that Muster makes: the most that RFC 5280 allows.
    package static let octets = 20
    /// Octets of it that hold the time of issue, so that a database index over many of them grows at one end.
    static let timeOctets = 6

    /// That of a certificate, DER, big-endian; nil if it is none.
    package static func of(certificate der: [UInt8]) -> [UInt8]? {
        (try? Certificate(derEncoded: der)).map { Array($0.serialNumber.bytes) }
    }

    /// A serial number for a certificate issued at `milliseconds` since 1970: one octet that keeps it positive and of
    /// full length, six of time, thirteen (104 bits) from the system's secure random generator.
    package static func make(milliseconds: UInt64) -> Certificate.SerialNumber {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(octets)
        bytes.append(0x4D)
        for shift in stride(from: (timeOctets - 1) * 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: milliseconds >> UInt64(shift)))
        }
        var random = SystemRandomNumberGenerator()
        var pool: UInt64 = 0
        for index in 0..<(octets - 1 - timeOctets) {
            if index % 8 == 0 { pool = random.next() }
            bytes.append(UInt8(truncatingIfNeeded: pool))
            pool >>= 8
        }
        return Certificate.SerialNumber(bytes: bytes)
    }
}
