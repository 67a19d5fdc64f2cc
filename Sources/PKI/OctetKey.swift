import Foundation

/// Octets as the key of a dictionary. An array hashes and compares its elements one by one, which takes ten times as long.
package struct OctetKey: Hashable, Sendable {
    private let octets: ArraySlice<UInt8>

    package init(_ octets: ArraySlice<UInt8>) { self.octets = octets }

    package init(_ octets: [UInt8]) { self.octets = octets[...] }

    package static func == (left: Self, right: Self) -> Bool {
        unsafe left.octets.withUnsafeBytes { left in
            unsafe right.octets.withUnsafeBytes { right in
                guard left.count == right.count else { return false }
                guard let first = left.baseAddress, let second = right.baseAddress else { return true }
                return unsafe memcmp(first, second, left.count) == 0
            }
        }
    }

    package func hash(into hasher: inout Hasher) {
        unsafe octets.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}
