import Enrollment
import FuzzKit

/// What `DeviceIDPattern` and `DeviceIDRule` promise of an operator's text and a certificate's URI.
enum PatternProperties {
    private static let place = Array("{id}".utf8)

    static func check(pattern octets: [UInt8], uri: [UInt8]) {
        let text = String(decoding: octets, as: UTF8.self)
        let rule = DeviceIDRule(name: text, pattern: nil)
        Property.check((rule != nil) == (DeviceIDRule.names.contains(text) && text != "san-uri"), "a rule \(text)")
        Property.check(rule.map { $0.name == text } ?? true, "a rule has another name")
        guard let pattern = DeviceIDPattern(text) else { return }
        checkForm(pattern, octets)
        let parts = octets.ranges(of: place)
        guard let place = parts.first else { return }
        check(pattern, Array(octets[..<place.lowerBound]), Array(octets[place.upperBound...]), uri)
    }

    private static func checkForm(_ pattern: DeviceIDPattern, _ octets: [UInt8]) {
        Property.check(pattern.text.utf8.elementsEqual(octets), "a pattern is not as it was written")
        Property.check(pattern.description == pattern.text, "a pattern describes itself otherwise")
        Property.check(octets.count <= DeviceIDPattern.lengthMax, "a pattern is too long")
        Property.check(octets.allSatisfy { (0x21...0x7E).contains($0) }, "a pattern holds more than ASCII")
        Property.check(octets.ranges(of: place).count == 1, "a pattern has not one place")
        let rule = DeviceIDRule(name: "san-uri", pattern: pattern)
        Property.check(rule?.pattern == pattern && rule?.name == "san-uri", "a rule loses its pattern")
    }

    /// A match is what stands between the pattern's two ends, octet for octet, and any such URI is matched.
    private static func check(_ pattern: DeviceIDPattern, _ prefix: [UInt8], _ suffix: [UInt8], _ uri: [UInt8]) {
        let text = String(decoding: uri, as: UTF8.self)
        if let found = pattern.match(text) {
            Property.check(!found.isEmpty, "nothing was found")
            Property.check(
                (prefix + Array(found.utf8) + suffix).elementsEqual(text.utf8),
                "\(pattern) finds \(found) in \(Array(text.utf8))"
            )
        }
        guard !uri.isEmpty, uri.allSatisfy({ (0x21...0x7E).contains($0) }) else { return }
        let full = String(decoding: prefix + uri + suffix, as: UTF8.self)
        Property.check(pattern.match(full) == text, "\(pattern) does not find \(text)")
    }
}
