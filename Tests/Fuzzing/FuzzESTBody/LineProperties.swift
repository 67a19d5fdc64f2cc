import EST
import FuzzKit

/// What the readers of a path and of header fields promise. Their inputs are text, so the input is read as UTF-8.
enum LineProperties {
    /// Longer lines are for the HTTP parser to refuse; the readers see none.
    private static let lengthMax = 512

    static func check(_ input: [UInt8]) {
        guard input.count <= lengthMax else { return }
        let text = String(decoding: input, as: UTF8.self)
        checkPath(text)
        checkPath(ESTPath.prefix + text)
        checkMediaType(text)
        checkRetryAfter(text)
    }

    /// Only the canonical spelling of a path means anything, octet for octet (EST-02).
    private static func checkPath(_ path: String) {
        switch ESTPath.parse(path) {
        case .route(let route):
            let label = route.label.flatMap { ESTLabel($0) }
            Property.check((label == nil) == (route.label == nil), "a label is none: \(path)")
            Property.check(
                ESTPath.path(of: route.operation, label: label).utf8.elementsEqual(path.utf8),
                "not canonical"
            )
            Property.check(path.utf8.count <= ESTPath.lengthMax, "too long")
        case .refused(let refusal):
            Property.checkReason(refusal.description)
        }
        guard let label = ESTLabel(path) else { return }
        Property.check(label.text.utf8.elementsEqual(path.utf8), "a label was changed")
        Property.check((1...ESTLabel.lengthMax).contains(path.utf8.count), "a label's length")
        Property.check(
            path.utf8.allSatisfy { Array("abcdefghijklmnopqrstuvwxyz0123456789-".utf8).contains($0) },
            "grammar"
        )
        for operation in ESTOperation.allCases {
            Property.check(path != operation.rawValue, "a label is an operation")
            let route = ESTRoute(label: path, operation: operation)
            let full = ESTPath.path(of: operation, label: label)
            Property.check(ESTPath.parse(full) == .route(route), "a label's path is not found")
        }
    }

    /// Type and subtype without regard to case, parameters passed over, spaces and TABs around them (EST-20).
    private static func checkMediaType(_ value: String) {
        var octets = Array(value.utf8.prefix { $0 != UInt8(ascii: ";") })
        while octets.last == 0x20 || octets.last == 0x09 { octets.removeLast() }
        while octets.first == 0x20 || octets.first == 0x09 { octets.removeFirst() }
        octets = octets.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        for type in ESTMediaType.allCases {
            let expected = octets.elementsEqual(type.essence.utf8)
            Property.check(type.matches(contentType: value) == expected, "\(type) matches \(value)")
            let spelled = " \t" + type.rawValue + ";" + value
            Property.check(type.matches(contentType: spelled), "a parameter matters: \(spelled)")
        }
    }

    private static func checkRetryAfter(_ value: String) {
        let now: Int64 = 1_768_478_400
        guard let wait = RetryAfter.parse(value, now: now) else { return }
        Property.check(wait >= .zero && wait <= .seconds(RetryAfter.secondsMax), "waits \(wait)")
        let octets = value.utf8.filter { $0 != 0x20 && $0 != 0x09 }
        Property.check(octets.allSatisfy { (0x21...0x7E).contains($0) }, "a wait was read in \(value)")
        let again = RetryAfter.parse(RetryAfter.format(wait), now: now)
        Property.check(again == max(wait, .seconds(1)), "a wait is read otherwise than written")
    }
}
