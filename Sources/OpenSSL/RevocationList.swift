package import Foundation

/// A certificate revocation list, version 2 (RFC 5280 section 5), whole or delta, as it is signed and as it is read.
package struct RevocationList: Hashable, Sendable {
    /// The most octets of a list that is read: some two million entries.
    package static let octetsMax = 128 << 20
    /// The most URIs of one list's place.
    package static let urisMax = 32

    /// One certificate that is revoked or on hold.
    package struct Entry: Hashable, Sendable {
        /// Big-endian, positive, as in the certificate.
        package let serialNumber: [UInt8]
        /// To the second.
        package let revokedAt: Date
        /// The code of RFC 5280 section 5.3.1; 0, unspecified, is left out of the list.
        package let reason: UInt8

        package init(serialNumber: [UInt8], revokedAt: Date, reason: UInt8) {
            self.serialNumber = serialNumber
            self.revokedAt = revokedAt
            self.reason = reason
        }
    }

    /// The reason of an entry of a delta list that takes an entry out of its base (RFC 5280 section 5.3.1).
    package static let removeFromCRL: UInt8 = 8

    /// CRLNumber (section 5.2.3).
    package let number: Int64
    /// BaseCRLNumber (section 5.2.4); nil if this is no delta.
    package let baseNumber: Int64?
    package let thisUpdate: Date
    package let nextUpdate: Date
    /// The URIs of its distribution point (section 5.2.5): it lists no other certificates than those of end entities that
    /// name one of them. If there are none, it lists all of its issuer's.
    package let places: [String]
    package let entries: [Entry]

    package init(
        number: Int64,
        baseNumber: Int64? = nil,
        thisUpdate: Date,
        nextUpdate: Date,
        places: [String],
        entries: [Entry]
    ) {
        self.number = number
        self.baseNumber = baseNumber
        self.thisUpdate = thisUpdate
        self.nextUpdate = nextUpdate
        self.places = places
        self.entries = entries
    }
}
