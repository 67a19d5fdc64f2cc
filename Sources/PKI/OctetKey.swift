/// Octets as the key of a dictionary. An array hashes its elements one by one, which takes ten times as long.
package struct OctetKey: Hashable, Sendable {
    private let octets: ArraySlice<UInt8>

    package init(_ octets: ArraySlice<UInt8>) { self.octets = octets }

    package init(_ octets: [UInt8]) { self.octets = octets[...] }

    package func hash(into hasher: inout Hasher) {
        unsafe octets.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}
