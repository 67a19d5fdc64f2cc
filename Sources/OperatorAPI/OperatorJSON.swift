package import Foundation

/// JSON as the operator API writes and reads it: keys sorted, times in RFC 3339 with milliseconds, and no member that
/// the body does not have.
package enum OperatorJSON {
    package static func encode(_ body: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.formatted(TimeText.written))
        }
        return try encoder.encode(body)
    }

    /// Reads what another version of Muster wrote: members that are not known are passed over.
    package static func decode<Body: Decodable>(_ type: Body.Type, from data: Data) throws -> Body {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard let date = TimeText.parse(text) else {
                throw DecodingError.dataCorruptedError(
                    in: container,
                    debugDescription: "is no time; write it as 2027-01-31T12:00:00Z"
                )
            }
            return date
        }
        return try decoder.decode(type, from: data)
    }

    /// Reads what a person or a program asks for: what is unknown, missing or of the wrong kind is told by its path.
    package static func decodeStrictly<Body: Codable>(
        _ type: Body.Type,
        from data: Data
    ) throws(DocumentFault) -> Body {
        let body: Body
        let given: Any
        let known: Any
        do {
            body = try decode(type, from: data)
            given = try JSONSerialization.jsonObject(with: data, options: [.fragmentsAllowed])
            known = try JSONSerialization.jsonObject(with: encode(body), options: [.fragmentsAllowed])
        } catch let error as DecodingError {
            throw misfit(in: data) ?? DocumentFault(error)
        } catch {
            throw DocumentFault(path: "", reason: "is not JSON")
        }
        if let path = surplus(given, known, path: "", depth: 0) {
            throw DocumentFault(path: path, reason: "is not known here (a member without a value is left out)")
        }
        return body
    }

    /// The decoder takes a number that does not fit for bad JSON. No body has numbers that are not whole.
    private static func misfit(in data: Data) -> DocumentFault? {
        guard let given = try? JSONSerialization.jsonObject(with: data),
            let path = misfit(in: given, path: "", depth: 0)
        else { return nil }
        return DocumentFault(path: path, reason: "must be a whole number below 2^63")
    }

    private static func misfit(in given: Any, path: String, depth: Int) -> String? {
        guard depth < depthMax else { return nil }
        switch given {
        case let object as [String: Any]:
            for (name, value) in object.sorted(by: { $0.key < $1.key }) {
                let place = path.isEmpty ? name : "\(path).\(name)"
                if let found = misfit(in: value, path: place, depth: depth + 1) { return found }
            }
            return nil
        case let list as [Any]:
            for (index, value) in list.enumerated() {
                if let found = misfit(in: value, path: "\(path)[\(index)]", depth: depth + 1) { return found }
            }
            return nil
        default: return given is NSNumber && !(given is Int64) ? path : nil
        }
    }

    private static let depthMax = 32

    /// The first member of `given` that reading it did not keep.
    private static func surplus(_ given: Any, _ known: Any, path: String, depth: Int) -> String? {
        guard depth < depthMax else { return path }
        switch (given, known) {
        case (let given as [String: Any], let known as [String: Any]):
            for (name, value) in given.sorted(by: { $0.key < $1.key }) {
                let place = path.isEmpty ? name : "\(path).\(name)"
                guard let kept = known[name] else { return place }
                if let found = surplus(value, kept, path: place, depth: depth + 1) { return found }
            }
            return nil
        case (let given as [Any], let known as [Any]):
            for (index, pair) in zip(given, known).enumerated() {
                if let found = surplus(pair.0, pair.1, path: "\(path)[\(index)]", depth: depth + 1) { return found }
            }
            return nil
        default: return nil
        }
    }
}

/// What is wrong with a document, and where.
package struct DocumentFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// Such as `anchors[0].deviceID`; empty for the whole document.
    package let path: String
    package let reason: String

    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    init(_ error: DecodingError) {
        func text(_ path: [any CodingKey]) -> String {
            path.reduce("") { text, key in
                if let index = key.intValue { return "\(text)[\(index)]" }
                return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
            }
        }
        switch error {
        case .keyNotFound(let key, let context):
            self.init(path: text(context.codingPath + [key]), reason: "is missing")
        case .valueNotFound(_, let context):
            self.init(path: text(context.codingPath), reason: "has no value")
        case .typeMismatch(let type, let context):
            self.init(path: text(context.codingPath), reason: "must be \(Self.words(type))")
        case .dataCorrupted(let context):
            let isOurs = context.underlyingError == nil && !context.codingPath.isEmpty
            self.init(path: text(context.codingPath), reason: isOurs ? context.debugDescription : "is not JSON")
        @unknown default: self.init(path: "", reason: "cannot be read")
        }
    }

    private static func words(_ type: Any.Type) -> String {
        switch type {
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number"
        case is [Any].Type: "a list"
        default: "an object"
        }
    }

    package var description: String { path.isEmpty ? "the document \(reason)" : "\(path) \(reason)" }
}

/// Times in RFC 3339.
package enum TimeText {
    static let written = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// In UTC, with or without a fraction of a second of up to nine digits; nothing before and nothing after it, and only
    /// days that there are.
    package static func parse(_ text: String) -> Date? {
        let octets = Array(text.utf8)
        guard octets.count >= shortest.count, octets.count <= shortest.count + 1 + fractionDigitsMax,
            octets.last == UInt8(ascii: "Z")
        else { return nil }
        for (given, form) in zip(octets, shortest.dropLast()) {
            guard form == UInt8(ascii: "0") ? (0x30...0x39).contains(given) : given == form else { return nil }
        }
        let fraction = octets[(shortest.count - 1)..<(octets.count - 1)]
        guard fraction.isEmpty || fraction.first == UInt8(ascii: ".") && fraction.count > 1,
            fraction.dropFirst().allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        func number(_ range: Range<Int>) -> Int { octets[range].reduce(0) { $0 * 10 + Int($1) - 0x30 } }
        let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
        let (hour, minute, second) = (number(11..<13), number(14..<16), number(17..<19))
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let months = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...12).contains(month), (1...months[month - 1]).contains(day), hour < 24, minute < 60, second < 60,
            let whole = try? Date.ISO8601FormatStyle().parse(String(decoding: octets.prefix(19), as: UTF8.self) + "Z")
        else { return nil }
        let parts = fraction.dropFirst().reversed().reduce(0.0) { ($0 + Double($1 - 0x30)) / 10 }
        return whole.addingTimeInterval(parts)
    }

    private static let shortest = Array("0000-00-00T00:00:00Z".utf8)
    private static let fractionDigitsMax = 9
}

/// Lengths of time as people write them: a whole number and `s`, `m`, `h` or `d`.
package enum DurationText {
    private static let units: [(Character, Int64)] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)]
    private static let digitsMax = 12

    /// Seconds; nil if `text` is no length of time.
    package static func seconds(_ text: String) -> Int64? {
        guard let unit = units.first(where: { $0.0 == text.last }), text.utf8.count <= digitsMax,
            text.dropLast().utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int64(text.dropLast())
        else { return nil }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: unit.1)
        return overflow ? nil : seconds
    }

    /// In the largest unit that says it whole.
    package static func text(_ seconds: Int64) -> String {
        for (unit, length) in units where seconds % length == 0 && seconds >= length {
            return "\(seconds / length)\(unit)"
        }
        return "\(seconds)s"
    }
}
