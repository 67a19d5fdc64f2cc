/// The outside of DER values (X.690 section 8.1): what libcrypto's own encoders are too slow for in lists of a million
/// entries, and too large in memory.
enum DEREncoding {
    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let enumerated: UInt8 = 0x0A
    static let utcTime: UInt8 = 0x17
    static let generalizedTime: UInt8 = 0x18
    static let sequence: UInt8 = 0x30
    /// A constructed value of context class 0.
    static let explicit0: UInt8 = 0xA0

    /// One value with its identifier and length.
    static func node(_ identifier: UInt8, _ content: [UInt8]) -> [UInt8] {
        var node: [UInt8] = []
        node.reserveCapacity(content.count + 6)
        append(identifier, content, to: &node)
        return node
    }

    static func append(_ identifier: UInt8, _ content: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(identifier)
        if content.count < 0x80 {
            bytes.append(UInt8(content.count))
        } else {
            let octets = (0..<8).map { UInt8(truncatingIfNeeded: content.count >> (8 * (7 - $0))) }.drop { $0 == 0 }
            bytes.append(0x80 | UInt8(octets.count))
            bytes += octets
        }
        bytes += content
    }

    /// The next value: its identifier, and where its content stands. Moves `start` behind it. Nil if there is none whole.
    static func next(_ bytes: [UInt8], _ start: inout Int, end: Int) -> (identifier: UInt8, content: Range<Int>)? {
        guard end <= bytes.count, start + 2 <= end else { return nil }
        let identifier = bytes[start]
        var length = Int(bytes[start + 1])
        var content = start + 2
        if length >= 0x80 {
            let octets = length & 0x7F
            guard (1...4).contains(octets), content + octets <= end else { return nil }
            length = bytes[content..<content + octets].reduce(0) { $0 << 8 | Int($1) }
            content += octets
        }
        guard content + length <= end else { return nil }
        start = content + length
        return (identifier, content..<start)
    }
}
