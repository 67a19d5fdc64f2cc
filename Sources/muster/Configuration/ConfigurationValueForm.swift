import Logging

/// How the text of a setting becomes a value, and in words what the text must be.
struct ConfigurationValueForm<Value: Sendable>: Sendable {
    /// What a value is, as in "a whole number from 1 to 100".
    let expectation: String
    /// Reads the text. The second parameter is the folder that relative paths start from.
    let parse: @Sendable (_ text: String, _ folder: String) -> Result<Value, ConfigurationValueFault>
}

/// What is wrong with a value: the predicate of a sentence whose subject is the key.
struct ConfigurationValueFault: Error, Sendable, Equatable {
    /// Such as `"x" is not a whole number from 1 to 100`. Repeats the value only if that can be no secret.
    let text: String

    /// A fault in words.
    init(_ text: String) {
        self.text = text
    }

    /// The value is not what the key expects. Repeats the value, cut and with control characters shown as `?`.
    static func unexpected(_ value: String, _ expectation: String) -> Self {
        let shown = value.prefix(40).map { character in
            character.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } ? character : "?"
        }
        return Self("\"\(String(shown))\" is not \(expectation)")
    }
}

extension ConfigurationValueForm where Value == Int {
    /// A whole number in a range.
    static func integer(_ range: ClosedRange<Int>) -> Self {
        let expectation = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        return Self(expectation: expectation) { text, _ in
            guard let value = wholeNumber(text), range.contains(value) else {
                return .failure(.unexpected(text, expectation))
            }
            return .success(value)
        }
    }
}

extension ConfigurationValueForm where Value == Duration {
    /// A whole number of seconds.
    static func seconds(_ range: ClosedRange<Int>) -> Self {
        multiples(of: 1, named: "seconds", range)
    }

    /// A whole number of hours.
    static func hours(_ range: ClosedRange<Int>) -> Self {
        multiples(of: 3_600, named: "hours", range)
    }

    /// A whole number of days of 86,400 seconds.
    static func days(_ range: ClosedRange<Int>) -> Self {
        multiples(of: 86_400, named: "days", range)
    }

    private static func multiples(of seconds: Int, named unit: String, _ range: ClosedRange<Int>) -> Self {
        let expectation = "a whole number of \(unit) from \(range.lowerBound) to \(range.upperBound)"
        return Self(expectation: expectation) { text, _ in
            guard let value = wholeNumber(text), range.contains(value) else {
                return .failure(.unexpected(text, expectation))
            }
            return .success(.seconds(value * seconds))
        }
    }
}

/// Decimal digits alone: neither YAML's octal and hexadecimal forms nor its underscores.
private func wholeNumber(_ text: String) -> Int? {
    text.utf8.allSatisfy { (48...57).contains($0) } ? Int(text) : nil
}

extension ConfigurationValueForm where Value == Bool {
    /// `true` or `false`, and none of the other words that YAML 1.1 had for them.
    static var boolean: Self {
        Self(expectation: "true or false") { text, _ in
            switch text {
            case "true": .success(true)
            case "false": .success(false)
            default: .failure(.unexpected(text, "true or false"))
            }
        }
    }
}

extension ConfigurationValueForm where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words.
    static var choice: Self {
        let words = Value.allCases.map(\.rawValue)
        let expectation = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
        return Self(expectation: expectation) { text, _ in
            Value(rawValue: text).map { .success($0) } ?? .failure(.unexpected(text, expectation))
        }
    }
}

extension ConfigurationValueForm where Value == ListenAddress {
    /// An address to listen on.
    static var listenAddress: Self {
        let expectation = "host:port or [IPv6 address]:port, such as 0.0.0.0:8443"
        return Self(expectation: expectation) { text, _ in
            ListenAddress(text).map { .success($0) } ?? .failure(.unexpected(text, expectation))
        }
    }
}

extension ConfigurationValueForm where Value == DatabaseAddress {
    /// A libpq connection string without a password.
    static var databaseAddress: Self {
        Self(expectation: "a libpq URI or a key=value string, without a password") { text, _ in
            DatabaseAddress.parse(text)
        }
    }
}
