/// What libFuzzer hands to a target.
package enum FuzzInput {
    /// The octets at `start`. libFuzzer lends them for the length of the call, so they are copied.
    package static func octets(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
        unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    }

    /// An input in parts: an octet of choices, two octets that say how long the first part is, the first part, and what
    /// is left. A length beyond the end is cut.
    package struct Parts: Sendable {
        package let choices: UInt8
        package let first: [UInt8]
        package let second: [UInt8]

        /// Nil if `octets` is too short, or begins as DER does and is to be read as a whole.
        package init?(_ octets: [UInt8]) {
            guard octets.count >= 3, octets[0] != FuzzDER.sequence else { return nil }
            let rest = octets[3...]
            let length = Int(octets[1]) << 8 | Int(octets[2])
            choices = octets[0]
            first = Array(rest.prefix(length))
            second = Array(rest.dropFirst(length))
        }
    }
}
