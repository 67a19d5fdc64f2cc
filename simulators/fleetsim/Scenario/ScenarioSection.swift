import Yams

/// What is wrong with a scenario: where, and what would be right.
struct ScenarioProblem: Error, Hashable, CustomStringConvertible {
    /// `file:line`; nil if it is not in a file.
    let place: String?
    let text: String

    var description: String { (place.map { "\($0): " } ?? "") + text }
}

/// A mapping of a scenario file, of which only known keys are taken.
struct ScenarioSection {
    private let file: String
    /// The dotted name of the mapping; empty for the whole file.
    private let name: String
    private let line: Int
    private let values: [String: Node]
    private let lines: [String: Int]

    /// - Throws: For what is no mapping, an unknown key, and a required key that is missing.
    init(_ node: Node, name: String, file: String, required: [String], optional: [String]) throws(ScenarioProblem) {
        self.file = file
        self.name = name
        line = node.mark?.line ?? 1
        let known = required + optional
        guard let mapping = node.mapping else {
            let keys = known.isEmpty ? "keys and values" : "the keys \(known.joined(separator: ", "))"
            throw ScenarioProblem(
                place: "\(file):\(line)",
                text: "\(name.isEmpty ? "the file" : name) must have \(keys)"
            )
        }
        var values: [String: Node] = [:]
        var lines: [String: Int] = [:]
        for (key, value) in mapping {
            let word = key.scalar?.string ?? ""
            let keyLine = key.mark?.line ?? line
            guard known.contains(word) else {
                let near = known.first { Self.distance($0, word) <= 2 }
                let advice = near.map { "did you mean \($0)?" } ?? "the keys here are \(known.joined(separator: ", "))"
                throw ScenarioProblem(
                    place: "\(file):\(keyLine)",
                    text: "\(Self.joined(name, word)): unknown key; \(advice)"
                )
            }
            values[word] = value
            lines[word] = keyLine
        }
        self.values = values
        self.lines = lines
        if let missing = required.first(where: { values[$0] == nil }) {
            throw ScenarioProblem(place: "\(file):\(line)", text: "\(Self.joined(name, missing)) is missing")
        }
    }

    /// Opens a file that is one section, beside its head and its limits.
    ///
    /// - Parameters:
    ///   - name: That of the section, which makes the file one of its kind.
    ///   - required: Keys of the section.
    ///   - optional: Keys of the section, too.
    static func opening(
        _ root: Node,
        _ name: String,
        file: String,
        required: [String],
        optional: [String]
    ) throws(ScenarioProblem) -> (top: ScenarioSection, head: ScenarioHead, section: ScenarioSection) {
        let top = try ScenarioSection(
            root,
            name: "",
            file: file,
            required: ["scenario", "seed", name, "limits"],
            optional: ["fleet", "prefix", "key", "retry"]
        )
        let head = try ScenarioHead(top)
        guard let node = top.node(name) else { throw top.problem(name, "is missing") }
        let section = try ScenarioSection(node, name: name, file: file, required: required, optional: optional)
        return (top, head, section)
    }

    func has(_ key: String) -> Bool { values[key] != nil }

    /// What stands under `key`.
    func node(_ key: String) -> Node? { values[key] }

    /// The problem that `key`'s value has.
    func problem(_ key: String, _ text: String) -> ScenarioProblem {
        ScenarioProblem(place: "\(file):\(lines[key] ?? line)", text: "\(Self.joined(name, key)) \(text)")
    }

    /// Refuses two keys that exclude each other.
    func exclude(_ first: String, _ second: String, _ why: String) throws(ScenarioProblem) {
        guard has(first), has(second) else { return }
        throw problem(second, "contradicts \(Self.joined(name, first)): \(why)")
    }

    /// A value of one word.
    func text(_ key: String) throws(ScenarioProblem) -> String? {
        guard let node = values[key] else { return nil }
        guard let text = node.scalar?.string, !text.isEmpty else { throw problem(key, "must be a single value") }
        return text
    }

    /// A value that `parse` takes; `form` says what would be right.
    func value<Value>(_ key: String, _ form: String, _ parse: (String) -> Value?) throws(ScenarioProblem) -> Value? {
        guard let text = try text(key) else { return nil }
        guard let value = parse(text) else { throw problem(key, "must be \(form); '\(text)' is not") }
        return value
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(ScenarioProblem) -> Int? {
        try value(key, "\(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// One of the words of an enumeration.
    func word<Word: RawRepresentable & CaseIterable>(_ key: String, _: Word.Type) throws(ScenarioProblem) -> Word?
    where Word.RawValue == String {
        let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
        return try value(key, "one of \(words)") { Word(rawValue: $0) }
    }

    /// A value, or `[least, most]`, of which is drawn.
    func range(
        _ key: String,
        _ form: String,
        in bounds: ClosedRange<Int>,
        _ parse: (String) -> Int?
    ) throws(ScenarioProblem) -> ClosedRange<Int>? {
        guard let node = values[key] else { return nil }
        let texts = node.sequence.map { $0.map { $0.scalar?.string ?? "" } } ?? [node.scalar?.string ?? ""]
        let numbers = texts.compactMap(parse).filter(bounds.contains)
        guard numbers.count == texts.count, (1...2).contains(numbers.count), let first = numbers.first,
            let last = numbers.last, first <= last
        else { throw problem(key, "must be \(form), or [least, most] of such") }
        return first...last
    }

    /// The mapping under `key`.
    func section(_ key: String, optional: [String]) throws(ScenarioProblem) -> ScenarioSection? {
        guard let node = values[key] else { return nil }
        return try ScenarioSection(node, name: Self.joined(name, key), file: file, required: [], optional: optional)
    }

    /// The mapping under `key`, whatever its keys are.
    func words(_ key: String) throws(ScenarioProblem) -> [(word: String, value: ScenarioSection)] {
        guard let node = values[key] else { return [] }
        guard let mapping = node.mapping else { throw problem(key, "must have a word and a number on each line") }
        let words = mapping.map { $0.key.scalar?.string ?? "" }
        let section = try ScenarioSection(
            node,
            name: Self.joined(name, key),
            file: file,
            required: [],
            optional: words
        )
        return words.map { ($0, section) }
    }

    /// The items of the list under `key`.
    func list(_ key: String, max: Int) throws(ScenarioProblem) -> [(name: String, node: Node)] {
        guard let node = values[key] else { return [] }
        guard let items = node.sequence, !items.isEmpty, items.count <= max else {
            throw problem(key, "must be a list of 1 to \(max), each begun by '- '")
        }
        return items.enumerated().map { ("\(Self.joined(name, key)).\($0.offset)", $0.element) }
    }

    private static func joined(_ name: String, _ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    /// How many letters differ (Levenshtein), of words of at most 32.
    private static func distance(_ first: String, _ second: String) -> Int {
        let first = Array(first.utf8.prefix(32))
        let second = Array(second.utf8.prefix(32))
        var row = Array(0...second.count)
        for (line, letter) in first.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for column in second.indices {
                let above = row[column + 1]
                row[column + 1] = min(above + 1, row[column] + 1, diagonal + (letter == second[column] ? 0 : 1))
                diagonal = above
            }
        }
        return row[second.count]
    }
}
