/// The elements that stand one after the other in DER, none of them parsed: for what was parsed strictly before, and of
/// which a part is wanted as it stands. It ends where an element is not whole (see ``DERElement/next(_:_:end:)``).
package struct DERElements: Sequence, IteratorProtocol {
    package struct Element {
        /// The identifier octet (X.690 section 8.1.2).
        package let identifier: UInt8
        /// Identifier, length and content.
        package let encoded: ArraySlice<UInt8>
        package let content: ArraySlice<UInt8>
    }

    private let octets: ArraySlice<UInt8>
    private var position: Int

    package init(_ octets: ArraySlice<UInt8>) {
        self.octets = octets
        position = octets.startIndex
    }

    package mutating func next() -> Element? {
        let start = position
        guard let (identifier, content) = DERElement.next(octets, &position, end: octets.endIndex) else { return nil }
        return Element(identifier: identifier, encoded: octets[start..<position], content: octets[content])
    }
}

extension DERElements {
    /// The elements of the first element of the first element of `der`: of a TBSCertificate (RFC 5280 section 4.1) or a
    /// CertificationRequestInfo (RFC 2986 section 4.1). Both hold a SubjectPublicKeyInfo right behind the subject.
    package static func signed(in der: [UInt8]) -> [Element] {
        var outer = DERElements(der[...])
        guard let whole = outer.next() else { return [] }
        var parts = DERElements(whole.content)
        guard let signed = parts.next() else { return [] }
        return Array(DERElements(signed.content))
    }
}
