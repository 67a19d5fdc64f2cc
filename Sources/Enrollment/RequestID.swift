package import Foundation
import PKI

extension UUID {
    /// The id in words, in lower case (RFC 9562 section 4).
    package var text: String {
        let octets = unsafe withUnsafeBytes(of: uuid) { unsafe [UInt8]($0) }
        var text: [UInt8] = []
        text.reserveCapacity(Self.textLength)
        for (index, octet) in octets.enumerated() {
            if Self.groupStarts.contains(index) { text.append(UInt8(ascii: "-")) }
            text.append(Hex.digit(octet >> 4))
            text.append(Hex.digit(octet & 0x0F))
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static let textLength = 36
    /// The octets that a hyphen stands before.
    private static let groupStarts = [4, 6, 8, 10]

    /// A UUID of version 7 (RFC 9562 section 5.7): it begins with the time, so that rows of one moment lie side by side
    /// in an index, and a request's id tells when it came.
    package static func timeOrdered(at now: Date, randomness: inout some RandomNumberGenerator) -> UUID {
        let milliseconds = UInt64(max(0, now.timeIntervalSince1970 * 1000))
        let high = randomness.next(upperBound: UInt64(1) << 12)
        let low = randomness.next(upperBound: UInt64(1) << 62)
        let first = milliseconds << 16 | 0x7000 | high
        let second = UInt64(0b10) << 62 | low
        func octet(_ word: UInt64, _ index: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: word >> (56 - 8 * index)) }
        return UUID(
            uuid: (
                octet(first, 0), octet(first, 1), octet(first, 2), octet(first, 3), octet(first, 4), octet(first, 5),
                octet(first, 6), octet(first, 7), octet(second, 0), octet(second, 1), octet(second, 2),
                octet(second, 3), octet(second, 4), octet(second, 5), octet(second, 6), octet(second, 7)
            )
        )
    }
}
