/// A Swift file as the rules see it: where it is, what module that makes it part of, and its lines.
struct SourceFile {
    /// A line, as written and with comments and the insides of string literals taken out.
    struct Line {
        let number: Int
        let text: String
        let code: String
    }

    /// Relative to the repository's root.
    let path: String
    let lines: [Line]

    init(path: String, text: String) {
        self.path = path
        var insideMultilineString = false
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, line in
            let text = String(line)
            return Line(
                number: index + 1,
                text: text,
                code: Self.code(of: text, insideMultilineString: &insideMultilineString)
            )
        }
    }

    /// The module that compiles this file, found by its folder; nil outside the folders that hold modules.
    var module: String? {
        let parts = path.split(separator: "/").map(String.init)
        switch parts.first {
        case "Sources", "simulators", "Tests": return parts.count > 2 ? parts[1] : nil
        case "db": return "Schema"
        default: return nil
        }
    }

    var isTest: Bool { path.hasPrefix("Tests/") }

    /// The executables speak to a terminal; everything else logs.
    var isExecutable: Bool { path.hasPrefix("Sources/muster/") || path.hasPrefix("simulators/") }

    /// File name without its folders and extension.
    var name: String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return file.split(separator: ".").first.map(String.init) ?? file
    }

    /// Lines of text; a last line break does not begin another.
    var lineCount: Int { lines.last?.text.isEmpty == true ? lines.count - 1 : lines.count }

    /// What the compiler sees of one line, near enough: no `//` comment, nothing between quotes.
    private static func code(of line: String, insideMultilineString: inout Bool) -> String {
        if !insideMultilineString, !line.utf8.contains(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "/") }) {
            return line
        }
        var code = ""
        var insideString = false
        var rest = line[...]
        while let character = rest.first {
            if rest.hasPrefix("\"\"\"") {
                insideMultilineString.toggle()
                rest = rest.dropFirst(3)
                continue
            }
            if insideMultilineString || insideString {
                if character == "\\" {
                    rest = rest.dropFirst(2)
                    continue
                }
                if !insideMultilineString, character == "\"" { insideString = false }
            } else if character == "\"" {
                insideString = true
            } else if rest.hasPrefix("//") {
                break
            } else {
                code.append(character)
            }
            rest = rest.dropFirst()
        }
        return code
    }
}
