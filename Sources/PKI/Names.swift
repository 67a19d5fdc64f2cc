/// The name of a fleet: 1 to 23 of `a-z0-9-`; it is also its EST label (RFC 7030 section 3.2.2) and stands in topics,
/// subjects and SPIFFE ids.
package struct FleetName: Hashable, Sendable, CustomStringConvertible {
    package static let lengthMax = 23
    /// EST operation names are not labels, since a path would then have two meanings (EST-01).
    private static let reserved: Set<String> = [
        "cacerts", "simpleenroll", "simplereenroll", "csrattrs", "serverkeygen", "fullcmc",
    ]

    package let text: String

    /// Nil if `text` is not a fleet's name.
    package init?(_ text: String) {
        guard (1...Self.lengthMax).contains(text.utf8.count), !Self.reserved.contains(text),
            text.utf8.allSatisfy({ UInt8.isLowercaseLetter($0) || UInt8.isDigit($0) || $0 == UInt8(ascii: "-") })
        else { return nil }
        self.text = text
    }

    package var description: String { text }
}

/// The name of one physical unit, unique in its fleet: 1 to 40 of `A-Za-z0-9._-`, but not `.` or `..`, which a SPIFFE
/// path forbids (SPIFFE-ID section 2.2).
package struct DeviceID: Hashable, Sendable, CustomStringConvertible {
    package static let lengthMax = 40

    package let text: String

    /// Nil if `text` is not a device's name.
    package init?(_ text: String) {
        guard (1...Self.lengthMax).contains(text.utf8.count), text != ".", text != "..",
            text.utf8.allSatisfy({ byte in
                UInt8.isLowercaseLetter(byte) || UInt8.isUppercaseLetter(byte) || UInt8.isDigit(byte)
                    || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            })
        else { return nil }
        self.text = text
    }

    package var description: String { text }
}

extension UInt8 {
    fileprivate static func isLowercaseLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }
    fileprivate static func isUppercaseLetter(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }
    fileprivate static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
