/// The outside of a DER value (X.690 section 8.1), written and read in place: for what a library's own encoder moves once for
/// each value around it, or holds a million objects for. What strangers send is parsed strictly, by a library, before any
/// of it is read so.
package enum DERElement {
    package static let integer: UInt8 = 0x02
    package static let bitString: UInt8 = 0x03
    package static let octetString: UInt8 = 0x04
    package static let enumerated: UInt8 = 0x0A
    package static let utcTime: UInt8 = 0x17
    package static let generalizedTime: UInt8 = 0x18
    package static let sequence: UInt8 = 0x30
    /// A constructed value of context class 0.
    package static let context0: UInt8 = 0xA0
    /// A constructed value of context class 3.
    package static let context3: UInt8 = 0xA3

    /// The most octets of a length that is read: 4 GB.
    private static let lengthOctetsMax = 4
    /// The most octets of an identifier and a length that are written.
    private static let headOctetsMax = 1 + 1 + MemoryLayout<Int>.size

    /// One value with its identifier and length.
    package static func encoded(_ identifier: UInt8, _ content: [UInt8]) -> [UInt8] {
        var element: [UInt8] = []
        element.reserveCapacity(content.count + headOctetsMax)
        append(identifier, content, to: &element)
        return element
    }

    /// Adds one value with its identifier and length.
    package static func append(_ identifier: UInt8, _ content: [UInt8], to octets: inout [UInt8]) {
        append(identifier, content[...], to: &octets)
    }

    /// Adds one value with its identifier and length.
    package static func append(_ identifier: UInt8, _ content: ArraySlice<UInt8>, to octets: inout [UInt8]) {
        let length = content.count
        octets.append(identifier)
        if length < 0x80 {
            octets.append(UInt8(length))
        } else {
            let lengthOctets = (Int.bitWidth - length.leadingZeroBitCount + 7) / 8
            octets.append(0x80 | UInt8(lengthOctets))
            for octet in (0..<lengthOctets).reversed() {
                octets.append(UInt8(truncatingIfNeeded: length >> (8 * octet)))
            }
        }
        octets += content
    }

    /// The next value of `octets`: its identifier, and where its content stands. Moves `start` behind it.
    /// - Returns: Nil if none stands whole before `end`, or if it has what no certificate and no list has: a tag number
    ///   above 30, no definite length, a length of more than four octets.
    package static func next(
        _ octets: ArraySlice<UInt8>,
        _ start: inout Int,
        end: Int
    ) -> (identifier: UInt8, content: Range<Int>)? {
        guard start >= octets.startIndex, end <= octets.endIndex, end - start >= 2 else { return nil }
        let identifier = octets[start]
        guard identifier & 0x1F != 0x1F else { return nil }
        var length = Int(octets[start + 1])
        var content = start + 2
        if length >= 0x80 {
            let lengthOctets = length & 0x7F
            guard (1...lengthOctetsMax).contains(lengthOctets), end - content >= lengthOctets else { return nil }
            length = octets[content..<content + lengthOctets].reduce(0) { $0 << 8 | Int($1) }
            content += lengthOctets
        }
        guard end - content >= length else { return nil }
        start = content + length
        return (identifier, content..<start)
    }

    /// True if `octets` are one SEQUENCE and nothing after it.
    package static func isSequence(_ octets: [UInt8]) -> Bool {
        var start = 0
        return next(octets[...], &start, end: octets.count)?.identifier == sequence && start == octets.count
    }
}
