import Foundation
import OperatorAPI

/// Lower-case hexadecimal, read strictly.
enum HexText {
    private static let sha256Octets = 32

    static func sha256(_ text: String) -> [UInt8]? { octets(text, count: sha256Octets...sha256Octets) }

    static func octets(_ text: String, count: ClosedRange<Int>) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0, count.contains(digits.count / 2) else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
            octets.append(high << 4 | low)
        }
        return octets
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
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
