/// A strict reader of Prometheus' text exposition format 0.0.4. It shares nothing with the writer under test.
struct ExpositionGrammar {
    enum Fault: Error, Hashable {
        /// The text does not end in a line feed.
        case unended
        case line(Int, String)
    }

    struct Sample: Hashable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    struct Family {
        let name: String
        let help: String
        let type: String
        var samples: [Sample] = []
    }

    private(set) var families: [Family] = []

    init(_ text: String) throws(Fault) {
        guard text.isEmpty || text.hasSuffix("\n") else { throw .unended }
        var help: (name: String, text: String)?
        var seen: Set<String> = []
        var lines: Set<[String]> = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().enumerated() {
            func fault(_ what: String) -> Fault { .line(index + 1, "\(what): \(line)") }
            if line.hasPrefix("# HELP ") {
                let words = line.dropFirst(7).split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
                guard words.count == 2, Self.isName(words[0]), help == nil else { throw fault("not a HELP line") }
                guard seen.insert(String(words[0])).inserted else { throw fault("a second HELP") }
                guard let text = Self.unescaped(words[1], signs: ["\\": "\\", "n": "\n"]) else {
                    throw fault("help is not escaped")
                }
                help = (String(words[0]), text)
            } else if line.hasPrefix("# TYPE ") {
                let words = line.dropFirst(7).split(separator: " ", omittingEmptySubsequences: false)
                guard words.count == 2, let about = help, about.name == words[0],
                    ["counter", "gauge", "histogram"].contains(words[1])
                else { throw fault("not the TYPE line of the HELP before it") }
                families.append(Family(name: about.name, help: about.text, type: String(words[1])))
                help = nil
            } else {
                guard help == nil, var reader = Optional(Reader(line)), let sample = reader.sample(),
                    let family = families.indices.last
                else { throw fault("not a sample") }
                let suffixes = families[family].type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
                guard suffixes.contains(where: { families[family].name + $0 == sample.name }) else {
                    throw fault("a sample of another metric")
                }
                let identity = [sample.name] + sample.labels.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
                guard lines.insert(identity).inserted else { throw fault("a series twice") }
                families[family].samples.append(sample)
            }
        }
        guard help == nil, families.allSatisfy({ !$0.samples.isEmpty }) else { throw .unended }
    }

    func family(_ name: String) -> Family? { families.first { $0.name == name } }

    /// The value of exactly that series.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        families.lazy.flatMap(\.samples).first { $0.name == name && $0.labels == labels }?.value
    }

    /// Undoes escapes; nil if a backslash stands before another sign than those.
    static func unescaped(_ text: Substring, signs: [Unicode.Scalar: Unicode.Scalar]) -> String? {
        var out = String.UnicodeScalarView()
        var scalars = text.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "\\" else {
                out.append(scalar)
                continue
            }
            guard let next = scalars.next(), let meant = signs[next] else { return nil }
            out.append(meant)
        }
        return String(out)
    }

    static func isName(_ name: Substring) -> Bool {
        !name.isEmpty && nameAhead(of: name).endIndex == name.endIndex
    }

    /// The letters, digits and underscores that `text` starts with; empty if the first is a digit.
    private static func nameAhead(of text: Substring) -> Substring {
        if let first = text.utf8.first, (0x30...0x39).contains(first) { return text.prefix(0) }
        let length = text.utf8.prefix { octet in
            switch octet {
            case 0x41...0x5A, 0x61...0x7A, 0x30...0x39, 0x5F: true
            default: false
            }
        }.endIndex
        return text[..<length]
    }

    /// Reads one line of `name{label="value",…} value`.
    private struct Reader {
        private var rest: Substring

        init(_ line: Substring) { rest = line }

        mutating func sample() -> Sample? {
            guard let name = name() else { return nil }
            var labels: [String: String] = [:]
            if take("{") {
                repeat {
                    guard let label = self.label(), labels.updateValue(label.1, forKey: label.0) == nil else {
                        return nil
                    }
                } while take(",")
                guard take("}") else { return nil }
            }
            guard take(" "), let value = Self.number(rest) else { return nil }
            return Sample(name: name, labels: labels, value: value)
        }

        private mutating func name() -> String? {
            let name = ExpositionGrammar.nameAhead(of: rest)
            guard !name.isEmpty else { return nil }
            rest = rest[name.endIndex...]
            return String(name)
        }

        private mutating func label() -> (String, String)? {
            guard let name = name(), take("="), take("\"") else { return nil }
            var isEscaped = false
            guard
                let end = rest.unicodeScalars.firstIndex(where: { scalar in
                    if scalar == "\"", !isEscaped { return true }
                    isEscaped = scalar == "\\" && !isEscaped
                    return false
                })
            else { return nil }
            let value = rest[..<end]
            rest = rest[end...]
            let signs: [Unicode.Scalar: Unicode.Scalar] = ["\\": "\\", "n": "\n", "\"": "\""]
            guard take("\""), let text = ExpositionGrammar.unescaped(value, signs: signs) else { return nil }
            return (name, text)
        }

        private mutating func take(_ sign: Unicode.Scalar) -> Bool {
            guard rest.unicodeScalars.first == sign else { return false }
            rest.unicodeScalars.removeFirst()
            return true
        }

        private static func number(_ text: Substring) -> Double? {
            switch text {
            case "+Inf": .infinity
            case "-Inf": -.infinity
            case "NaN": .nan
            // Decimal only: Swift would read hexadecimal and "inf", too.
            default: text.allSatisfy { "0123456789.e+-".contains($0) } ? Double(text) : nil
            }
        }
    }
}
