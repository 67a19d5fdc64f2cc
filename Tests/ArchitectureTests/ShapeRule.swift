/// Names that say something, and files that can be read in one sitting.
enum ShapeRule {
    static let linesMax = 500
    static let emptySuffixes = ["Utils", "Util", "Utilities", "Helper", "Helpers", "Manager", "Misc", "New", "V2"]

    /// Faults of size and naming in `file`.
    static func violations(in file: SourceFile) -> [Violation] {
        var found: [Violation] = []
        if file.lineCount > linesMax {
            let text = "\(file.lineCount) lines, and \(linesMax) is the most; look for the seam and make two files"
            found.append(Violation(path: file.path, line: 0, text: text))
        }
        found += nameViolations(path: file.path)
        for line in file.lines {
            for name in declaredTypes(line.code) {
                guard let suffix = emptySuffix(of: name) else { continue }
                found.append(Violation(path: file.path, line: line.number, text: advice(name, suffix)))
            }
        }
        return found
    }

    /// Faults in the names of a path's folders and file.
    static func nameViolations(path: String) -> [Violation] {
        path.split(separator: "/").compactMap { part in
            let name = part.split(separator: ".").first.map(String.init) ?? ""
            return emptySuffix(of: name).map { Violation(path: path, line: 0, text: advice(name, $0)) }
        }
    }

    private static let declarations: Set<String> = ["struct", "class", "enum", "actor", "protocol", "typealias"]

    private static func declaredTypes(_ code: String) -> [String] {
        let words = code.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
        return zip(words, words.dropFirst()).filter { declarations.contains($0.0) }.map(\.1)
    }

    private static func emptySuffix(of name: String) -> String? { emptySuffixes.first { name.hasSuffix($0) } }

    private static func advice(_ name: String, _ suffix: String) -> String {
        "`\(name)` ends in `\(suffix)`, which says nothing; name it for what it does or holds"
    }
}
