import Yams

/// The YAML document of a configuration file, with every key that is set twice reported.
///
/// Yams gives up at the first mapping that repeats a key. So that the problems further down are found too, the
/// earlier of two equal keys is renamed in the text, to a name that no file contains, and the text is read again.
struct ConfigurationDocument {
    /// The document; nil if the text is empty.
    let root: Node?
    /// The names of the keys that are set again further down, by what they were renamed to.
    private let renamed: [String: String]

    /// The first of the letters for private use, which stand for the first letter of a renamed key.
    private static let privateUse: UInt32 = 0xE000

    /// Reads the text of the file at the path.
    ///
    /// - Throws: If the text is not YAML.
    init(path: String, text: String) throws(ConfigurationProblems) {
        var scalars = Array(text.unicodeScalars)
        var renamed: [String: String] = [:]
        var problems: [ConfigurationProblem] = []
        while true {
            var joined = ""
            joined.unicodeScalars.append(contentsOf: scalars)
            do {
                root = try Yams.compose(yaml: joined)
                self.renamed = renamed
                return
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let name = names.first ?? ""
                let place = Self.index(of: context.mark, in: scalars)
                problems.append(Self.repeated(name, path, context.mark))
                guard let place, renamed.count < ConfigurationFile.duplicatesMax,
                    let replacement = Unicode.Scalar(Self.privateUse + UInt32(renamed.count)),
                    let start = Self.keyStart(name, place, scalars)
                else { throw Self.all(problems, path) }
                scalars[start] = replacement
                var unique = String(replacement)
                unique.unicodeScalars.append(contentsOf: name.unicodeScalars.dropFirst())
                renamed[unique] = name
            } catch {
                throw Self.all(problems + [Self.notYAML(error, path)], path)
            }
        }
    }

    /// The key's name, if it is one that is set again further down.
    func repeatedName(_ key: Node) -> String? {
        key.scalar.flatMap { renamed[$0.string] }
    }

    private static func all(_ problems: [ConfigurationProblem], _ path: String) -> ConfigurationProblems {
        ConfigurationProblems(problems)
            ?? ConfigurationProblems(
                ConfigurationProblem(origin: .wholeFile(path: path), key: nil, text: "is not YAML")
            )
    }

    private static func repeated(_ name: String, _ path: String, _ mark: Mark) -> ConfigurationProblem {
        ConfigurationProblem(
            origin: .file(path: path, line: mark.line, column: mark.column),
            key: ConfigurationName.isRepeatable(name) ? name : nil,
            text: "is set again further down in the same section; keep one"
        )
    }

    /// Yams' own description shows the line, in which there may be a secret: only its reason is taken.
    private static func notYAML(_ error: any Error, _ path: String) -> ConfigurationProblem {
        let place: Mark?
        let reason: String
        switch error {
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            (place, reason) = (mark, problem)
        case YamlError.reader(let problem, _, _, _):
            (place, reason) = (nil, problem)
        default:
            (place, reason) = (nil, "it cannot be read")
        }
        return ConfigurationProblem(
            origin: place.map { .file(path: path, line: $0.line, column: $0.column) } ?? .wholeFile(path: path),
            key: nil,
            text:
                "is not YAML here: \(reason); look at the indentation, quotes and colons of this line and the one before"
        )
    }

    /// Where the key's own text begins: behind an opening quote.
    private static func keyStart(_ name: String, _ place: Int, _ scalars: [Unicode.Scalar]) -> Int? {
        guard let first = name.unicodeScalars.first else { return nil }
        for start in [place, place + 1] where start < scalars.count && scalars[start] == first { return start }
        return nil
    }

    /// The mark's place in the text; lines end as they do for libyaml.
    private static func index(of mark: Mark, in scalars: [Unicode.Scalar]) -> Int? {
        var line = 1
        var index = 0
        while line < mark.line, index < scalars.count {
            if scalars[index] == "\r", index + 1 < scalars.count, scalars[index + 1] == "\n" { index += 1 }
            if ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalars[index]) { line += 1 }
            index += 1
        }
        let place = index + mark.column - 1
        return place >= 0 && place < scalars.count ? place : nil
    }
}
