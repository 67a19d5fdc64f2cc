import SwiftASN1
package import X509

extension ASN1ObjectIdentifier {
    /// id-at-serialNumber (X.520): the device's own number, not the certificate's.
    static let serialNumberAttribute: ASN1ObjectIdentifier = [2, 5, 4, 5]
}

extension DistinguishedName {
    /// The one value of an attribute type, read as text; nil if it is missing, stands twice or is no character string
    /// that can be compared (T61, BMP and Universal strings are not: C-03).
    private func only(_ type: ASN1ObjectIdentifier) -> String? {
        var found: String?
        for rdn in self {
            for attribute in rdn where attribute.type == type {
                guard found == nil, let text = String(attribute.value) else { return nil }
                found = text
            }
        }
        return found
    }

    private func has(_ type: ASN1ObjectIdentifier) -> Bool {
        contains { $0.contains { $0.type == type } }
    }

    /// The subject's one common name.
    package var commonName: String? { only(.RDNAttributeType.commonName) }
    /// True if there is any common name, readable or not.
    package var hasCommonName: Bool { has(.RDNAttributeType.commonName) }
    /// The subject's one serialNumber attribute.
    package var serialNumberAttribute: String? { only(.serialNumberAttribute) }
    /// True if there is any serialNumber attribute, readable or not.
    package var hasSerialNumberAttribute: Bool { has(.serialNumberAttribute) }

    /// The name in words, last part first (RFC 4514): what `description` gives, which spends most of its time in chains
    /// of lazy sequences, and makes a string of each character.
    package var text: String {
        var text = ""
        for (number, rdn) in reversed().enumerated() {
            if number > 0 { text += "," }
            for (number, attribute) in rdn.enumerated() {
                if number > 0 { text += "+" }
                text += attribute.text
            }
        }
        return text
    }

    /// True if both name the same entity by the comparison of RFC 5280 section 7.1: same attributes in the same order,
    /// strings compared without regard to their type, case or surplus spaces.
    package func matches(_ other: DistinguishedName) -> Bool {
        if self == other { return true }
        guard count == other.count else { return false }
        return zip(self, other).allSatisfy { left, right in
            guard left.count == right.count else { return false }
            return left.allSatisfy { attribute in right.contains { $0.matches(attribute) } }
        }
    }
}

extension RelativeDistinguishedName.Attribute {
    /// What `description` calls the attributes that devices and CAs have (RFC 4514 section 3).
    private static let shortNames: [(type: ASN1ObjectIdentifier, name: String)] = [
        (.RDNAttributeType.commonName, "CN="), (.RDNAttributeType.organizationName, "O="),
        (.RDNAttributeType.organizationalUnitName, "OU="), (.RDNAttributeType.countryName, "C="),
        (.serialNumberAttribute, "2.5.4.5="),
    ]

    /// What `description` gives.
    fileprivate var text: String {
        guard let short = Self.shortNames.first(where: { $0.type == type }), let value = String(value),
            let first = value.utf8.first, let last = value.utf8.last, first != Self.space, last != Self.space,
            value.utf8.allSatisfy(Self.standsForItself)
        else { return description }
        return short.name + value
    }

    private static let space = UInt8(ascii: " ")

    /// True of what is never escaped, as far as names usually have it, and of spaces, which are at either end (RFC 4514
    /// section 2.4).
    private static func standsForItself(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "@"), UInt8(ascii: ":"), space:
            true
        default: false
        }
    }

    fileprivate func matches(_ other: Self) -> Bool {
        guard type == other.type else { return false }
        if value == other.value { return true }
        guard let left = String(value), let right = String(other.value) else { return false }
        return Self.prepared(left) == Self.prepared(right)
    }

    private static func prepared(_ text: String) -> String {
        text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
