/// The `Retry-After` field (RFC 9110 section 10.2.3). Sent as seconds, since strongSwan reads digits only; read in both
/// forms.
package enum RetryAfter {
    /// The longest wait that is believed or sent, in seconds: a week.
    package static let secondsMax = 7 * 24 * 3600

    /// The field's value: whole seconds, rounded up, at least 1.
    package static func format(_ wait: Duration) -> String {
        let (seconds, attoseconds) = wait.components
        let whole = attoseconds > 0 ? seconds &+ 1 : seconds
        return String(Swift.min(Swift.max(whole, 1), Int64(secondsMax)))
    }

    /// How long to wait; nil if the value is neither seconds nor an HTTP date.
    /// - Parameter now: Seconds since 1970, against which a date is counted. A date that has passed means no wait.
    package static func parse(_ value: String, now: Int64) -> Duration? {
        let text = value.utf8[...].trimmingBlanks
        guard (1...HTTPDate.length).contains(text.utf8.count) else { return nil }
        if let seconds = digits(text.utf8) { return .seconds(Swift.min(seconds, secondsMax)) }
        guard let date = HTTPDate.parse(text) else { return nil }
        return .seconds(Swift.min(Swift.max(date - now, 0), Int64(secondsMax)))
    }

    private static func digits(_ text: Substring.UTF8View) -> Int? {
        guard text.count <= 18 else { return nil }
        var value = 0
        for octet in text {
            guard (0x30...0x39).contains(octet) else { return nil }
            value = value * 10 + Int(octet - 0x30)
        }
        return value
    }
}
