import Foundation
import OperatorAPI
import PKI

/// Lower-case hexadecimal, read strictly.
enum HexText {
    private static let sha256Octets = 32

    static func sha256(_ text: String) -> [UInt8]? { octets(text, count: sha256Octets...sha256Octets) }

    static func octets(_ text: String, count: ClosedRange<Int>) -> [UInt8]? {
        Hex.octets(text).flatMap { count.contains($0.count) ? $0 : nil }
    }
}

/// Times that the record can hold and that mean something for a fleet.
enum ReadableTime {
    /// From 1970 to the end of 9999 (RFC 3339 knows no later year).
    static let range: ClosedRange<Double> = 0...253_402_300_799

    static func parse(_ text: String) -> Date? {
        TimeText.parse(text).flatMap { contains($0) ? $0 : nil }
    }

    static func contains(_ date: Date) -> Bool { range.contains(date.timeIntervalSince1970) }
}

extension String {
    /// True if all of it prints on one line: no control character, which a record or a log would not take.
    var isPlain: Bool {
        unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .surrogate, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
    }

    /// A stranger's word, fit for an error's text.
    var plainWord: String {
        let word = String(
            unicodeScalars.prefix(40).map { $0.properties.generalCategory == .control ? "?" : Character($0) }
        )
        return word.isEmpty ? "a name" : word
    }
}
