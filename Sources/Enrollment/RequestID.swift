package import Foundation

extension UUID {
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
