/// The elements that stand one after the other in DER, none of them parsed: for what was parsed strictly before, and of
/// which a part is wanted as it stands. It ends where an element is not whole, or has a tag or a length that no
/// certificate has (tag numbers above 30, lengths of more than three octets).
struct DERElements: Sequence, IteratorProtocol {
    struct Element {
        /// The identifier octet (X.690 section 8.1.2).
        let identifier: UInt8
        /// Identifier, length and content.
        let encoded: ArraySlice<UInt8>
        let content: ArraySlice<UInt8>
    }

    private static let lengthOctetsMax = 3

    private var rest: ArraySlice<UInt8>

    init(_ octets: ArraySlice<UInt8>) { rest = octets }

    mutating func next() -> Element? {
        guard rest.count >= 2 else { return nil }
        let start = rest.startIndex
        let identifier = rest[start]
        let first = Int(rest[start + 1])
        var content = start + 2
        var length = first
        if first >= 0x80 {
            let octets = first & 0x7F
            guard (1...Self.lengthOctetsMax).contains(octets), rest.endIndex - content >= octets else { return nil }
            length = rest[content..<content + octets].reduce(0) { $0 << 8 | Int($1) }
            content += octets
        }
        guard identifier & 0x1F != 0x1F, rest.endIndex - content >= length else { return nil }
        let end = content + length
        defer { rest = rest[end...] }
        return Element(identifier: identifier, encoded: rest[start..<end], content: rest[content..<end])
    }
}

extension DERElements {
    /// The elements of the first element of the first element of `der`: of a TBSCertificate (RFC 5280 section 4.1) or a
    /// CertificationRequestInfo (RFC 2986 section 4.1). Both hold a SubjectPublicKeyInfo right behind the subject.
    static func signed(in der: [UInt8]) -> [Element] {
        var outer = DERElements(der[...])
        guard let whole = outer.next() else { return [] }
        var parts = DERElements(whole.content)
        guard let signed = parts.next() else { return [] }
        return Array(DERElements(signed.content))
    }
}
