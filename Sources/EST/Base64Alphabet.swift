/// The alphabet of RFC 4648 section 4 as tables, since bodies pass through here on the way of each enrollment.
enum Base64Alphabet {
    /// Not in the alphabet, and not to be skipped.
    static let invalid: UInt8 = 0xFF
    /// CR, LF, space and TAB, which RFC 8951 section 3.1 has a recipient tolerate.
    static let blank: UInt8 = 0x80
    /// `=`.
    static let padding: UInt8 = 0x40

    /// For each octet its six bits, or one of the marks above; all marks are above 0x3F.
    static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, octet) in octets.enumerated() { values[Int(octet)] = UInt8(value) }
        for octet in [0x20, 0x09, 0x0D, 0x0A] { values[octet] = blank }
        values[Int(UInt8(ascii: "="))] = padding
        return values
    }()

    /// For each six bits its octet.
    private static let octets = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}
