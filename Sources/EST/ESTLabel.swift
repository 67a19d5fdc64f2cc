/// A CA label in an EST path (RFC 7030 section 3.2.2): here the name of a fleet, 1 to 23 of `a-z0-9-`, and never the
/// name of an operation, since `/.well-known/est/cacerts/cacerts` would then have two meanings (EST-01).
package struct ESTLabel: Hashable, Sendable, CustomStringConvertible {
    /// The most octets of a label.
    package static let lengthMax = 23

    /// The label as it stands in the path.
    package let text: String

    /// Nil if `text` is not a label.
    package init?(_ text: some StringProtocol) {
        guard (1...Self.lengthMax).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }),
            ESTOperation(rawValue: String(text)) == nil
        else { return nil }
        self.text = String(text)
    }

    package var description: String { text }
}
