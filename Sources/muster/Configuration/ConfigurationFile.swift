import Foundation
import Yams

/// What a configuration file says: its settings under their full names, each with its place, and what is wrong with
/// the file's shape. Values are text still.
struct ConfigurationFile: Sendable {
    /// The largest file that is read, in bytes.
    static let bytesMax = 1 << 18
    /// How many repeated keys are looked for in one file.
    static let duplicatesMax = 32

    /// After how many problems no more suggestions are sought for unknown keys, which takes a while for each.
    static let suggestionsMax = 100

    /// The path, as it was given.
    let path: String
    /// The settings by full name: `est.listen`, `issuers.0.name`.
    private(set) var settings: [String: (text: String, origin: ConfigurationOrigin)] = [:]
    /// The place of each section that is there, also of each entry of a list: `est`, `issuers.0`.
    private(set) var sections: [String: ConfigurationOrigin] = [:]
    /// How many entries each list has, by its section.
    private(set) var entryCounts: [String: Int] = [:]
    /// What is wrong with the file's shape, in no order.
    private(set) var problems: [ConfigurationProblem] = []

    /// Reads the file at the path.
    ///
    /// - Throws: If the file cannot be read, or is not YAML; then nothing else can be said of it.
    static func read(_ path: String) throws(ConfigurationProblems) -> Self {
        func problem(_ text: String) -> ConfigurationProblems {
            ConfigurationProblems(ConfigurationProblem(origin: .wholeFile(path: path), key: nil, text: text))
        }
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: resolved) else {
            throw problem("there is no such file; `muster config example` writes one to start from")
        }
        guard attributes[.type] as? FileAttributeType != .typeDirectory else {
            throw problem("is a folder; name the file in it")
        }
        let bytes: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            bytes = try handle.read(upToCount: bytesMax + 1) ?? Data()
        } catch {
            throw problem("cannot be read; check that this user may read it")
        }
        guard bytes.count <= bytesMax else { throw problem("is larger than \(bytesMax) bytes, so no configuration") }
        guard let text = String(data: bytes, encoding: .utf8) else { throw problem("is not UTF-8 text") }
        return try Self(path: path, text: text)
    }

    /// Reads the text of a file.
    ///
    /// - Throws: If the text is not YAML.
    init(path: String, text: String) throws(ConfigurationProblems) {
        self.path = path
        let document = try ConfigurationDocument(path: path, text: text)
        guard let root = document.root, !Self.isEmpty(root) else { return }
        guard case .mapping(let mapping) = root else {
            report(root.mark, nil, "the file must consist of sections, such as `est:` with indented keys below it")
            return
        }
        read(mapping, in: [], document)
    }

    private mutating func read(_ mapping: Node.Mapping, in section: [String], _ document: ConfigurationDocument) {
        for (key, value) in mapping {
            if let name = document.repeatedName(key) {
                let again = mapping.first { $0.key.scalar?.string == name }?.key.mark
                let place = again.map { "on line \($0.line)" } ?? "further down"
                let whole = (section + [name]).joined(separator: ".")
                let shown = ConfigurationName.isRepeatable(whole) ? whole : section.joined(separator: ".")
                report(key.mark, shown.isEmpty ? nil : shown, "is set again \(place); keep one")
            } else {
                read(key, value, in: section, document)
            }
        }
    }

    private mutating func read(_ key: Node, _ value: Node, in section: [String], _ document: ConfigurationDocument) {
        let parent = section.joined(separator: ".")
        guard case .scalar(let scalar) = key, ConfigurationName.isRepeatable(scalar.string) else {
            report(key.mark, parent.isEmpty ? nil : parent, "a key here is not a name, such as `listen`")
            return
        }
        let path = section + [scalar.string]
        let name = path.joined(separator: ".")
        let pattern = ConfigurationName.pattern(of: name)
        if scalar.string.contains(".") {
            let parts = name.replacing(".", with: ": ")
            report(
                key.mark,
                name,
                "write it without dots: each part on a line of its own, indented under the one before (\(parts): …)"
            )
        } else if ConfigurationKeys.names.contains(pattern) {
            readSetting(value, name, at: key.mark)
        } else if section.isEmpty, ConfigurationKeys.listSections[scalar.string] != nil {
            sections[name] = origin(key.mark)
            readList(value, name, document)
        } else if section.isEmpty, ConfigurationKeys.sections.contains(scalar.string) {
            sections[name] = origin(key.mark)
            readSection(value, path, document)
        } else {
            let seeks = problems.count < Self.suggestionsMax
            let text = seeks ? Self.unknown(pattern, named: name, isSection: value.mapping != nil) : "unknown key"
            report(key.mark, name, text)
        }
    }

    private mutating func readSection(_ node: Node, _ path: [String], _ document: ConfigurationDocument) {
        guard !Self.isEmpty(node) else { return }
        guard case .mapping(let mapping) = node else {
            report(node.mark, path.joined(separator: "."), "is a section: put keys below it, indented")
            return
        }
        read(mapping, in: path, document)
    }

    private mutating func readList(_ node: Node, _ name: String, _ document: ConfigurationDocument) {
        guard !Self.isEmpty(node) else { return }
        guard case .sequence(let sequence) = node else {
            report(node.mark, name, "is a list: begin each entry with `- `, as in `- name: \(Self.exampleName(name))`")
            return
        }
        let entriesMax = ConfigurationKeys.listSections[name] ?? 0
        guard sequence.count <= entriesMax else {
            report(node.mark, name, "has \(sequence.count) entries; \(entriesMax) are the most")
            return
        }
        entryCounts[name] = sequence.count
        for (index, entry) in sequence.enumerated() {
            sections["\(name).\(index)"] = origin(entry.mark)
            readSection(entry, [name, String(index)], document)
        }
    }

    private static func exampleName(_ section: String) -> String {
        ConfigurationKeys.all.first { $0.name == "\(section).*.name" }?.example ?? "…"
    }

    private mutating func readSetting(_ node: Node, _ name: String, at mark: Mark?) {
        guard case .scalar(let scalar) = node else {
            report(mark, name, "takes one value, not a list or a section")
            return
        }
        guard !Self.isEmpty(node) else {
            report(mark, name, "has no value; write one, or take the line out")
            return
        }
        settings[name] = (scalar.string, origin(mark))
    }

    /// What to say of an unknown key; its value is not repeated.
    static func unknown(_ pattern: String, named name: String, isSection: Bool = false) -> String {
        if ConfigurationKeys.names.contains(pattern + "File") {
            return "is not written here; put it in a file and name that with \(name)File"
        }
        let candidates = isSection ? ConfigurationKeys.sections : ConfigurationKeys.names
        guard let nearest = ConfigurationName.nearest(to: pattern, among: candidates.sorted()) else {
            return "unknown key; `muster config example` lists those there are"
        }
        let index = name.split(separator: ".").dropFirst().first.flatMap { Int($0) }
        return "unknown key; did you mean \(ConfigurationName.name(nearest, index: index))?"
    }

    /// Whether the node is nothing at all: no text, `null` or `~`, out of quotes.
    private static func isEmpty(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null"].contains(scalar.string)
    }

    private func origin(_ mark: Mark?) -> ConfigurationOrigin {
        guard let mark else { return .wholeFile(path: path) }
        return .file(path: path, line: mark.line, column: mark.column)
    }

    private mutating func report(_ mark: Mark?, _ key: String?, _ text: String) {
        problems.append(ConfigurationProblem(origin: origin(mark), key: key, text: text))
    }
}
