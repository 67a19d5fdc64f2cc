/// DER put around what the fuzzer makes, so that a change inside does not break every length outside.
package enum FuzzDER {
    package static let sequence: UInt8 = 0x30
    package static let set: UInt8 = 0x31
    package static let integer: UInt8 = 0x02
    package static let bitString: UInt8 = 0x03
    package static let octetString: UInt8 = 0x04
    package static let utcTime: UInt8 = 0x17

    /// AlgorithmIdentifier of Ed25519 (RFC 8410 section 3).
    package static let ed25519 = node(sequence, [0x06, 0x03, 0x2B, 0x65, 0x70])
    /// OBJECT IDENTIFIER subjectAltName.
    package static let subjectAltName: [UInt8] = [0x06, 0x03, 0x55, 0x1D, 0x11]
    /// OBJECT IDENTIFIER extensionRequest (RFC 2985 section 5.4.2).
    package static let extensionRequest: [UInt8] = [
        0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x0E,
    ]

    /// OBJECT IDENTIFIER hardwareModuleName (RFC 4108 section 5).
    package static let hardwareModuleName: [UInt8] = [0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x08, 0x04]

    /// A relative name of one attribute of X.520, a UTF8String: 3 is commonName, 5 is serialNumber.
    package static func relativeName(_ type: UInt8, _ text: [UInt8]) -> [UInt8] {
        node(set, node(sequence, [0x06, 0x03, 0x55, 0x04, type], node(0x0C, text)))
    }

    /// Tag, the shortest length, content.
    package static func node(_ tag: UInt8, _ content: [UInt8]...) -> [UInt8] {
        let content = content.flatMap { $0 }
        return [tag] + length(content.count) + content
    }

    /// A bit string without unused bits.
    package static func bits(_ content: [UInt8]) -> [UInt8] { node(bitString, [0], content) }

    /// Extension with the names of subjectAltName, each a GeneralName in DER.
    package static func alternativeNames(_ names: [UInt8]) -> [UInt8] {
        node(sequence, subjectAltName, node(octetString, node(sequence, names)))
    }

    private static func length(_ count: Int) -> [UInt8] {
        switch count {
        case ..<0x80: [UInt8(count)]
        case ..<0x100: [0x81, UInt8(count)]
        default: [0x82, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
        }
    }
}

extension FuzzDER {
    /// Where the first member of a constructed node stands, tag and length included; nil if that is not plain.
    package static func firstMember(of der: [UInt8]) -> Range<Int>? {
        guard let outer = header(of: der, at: 0), let inner = header(of: der, at: outer.content) else { return nil }
        let end = inner.content + inner.length
        return end <= der.count && outer.content < end ? outer.content..<end : nil
    }

    private static func header(of der: [UInt8], at start: Int) -> (content: Int, length: Int)? {
        guard start + 2 <= der.count else { return nil }
        let first = Int(der[start + 1])
        guard first >= 0x80 else { return (start + 2, first) }
        let octets = first & 0x7F
        guard (1...3).contains(octets), start + 2 + octets <= der.count else { return nil }
        let length = der[(start + 2)..<(start + 2 + octets)].reduce(0) { $0 << 8 | Int($1) }
        return (start + 2 + octets, length)
    }
}
