/// Imports follow the arrows of the page, and no others.
enum ImportRule {
    /// Arrows in `file` that the page does not allow.
    static func violations(in file: SourceFile, page: ImportPage) -> [Violation] {
        guard let module = file.module else {
            return [
                Violation(
                    path: file.path,
                    line: 0,
                    text: "belongs to no module; move it into the folder of one"
                )
            ]
        }
        return file.lines.compactMap { line in
            guard let imported = importedModule(line.code), imported != module else { return nil }
            guard let text = refusal(module: module, imported: imported, isTest: file.isTest, page: page) else {
                return nil
            }
            return Violation(path: file.path, line: line.number, text: text)
        }
    }

    /// What the page itself must keep: each module of C has exactly one Swift module that imports it.
    static func violations(of page: ImportPage) -> [Violation] {
        page.modulesOfC.sorted().compactMap { name in
            let importers = page.imports.filter { $0.value.contains(name) }.keys.sorted()
            guard importers.count != 1 else { return nil }
            return Violation(
                path: ImportPage.path,
                line: 0,
                text: "\(name) is imported by \(importers.joined(separator: " and ")); "
                    + "let one of them own it and the others import that one"
            )
        }
    }

    /// The first component of what a line imports; nil if the line is no import.
    static func importedModule(_ code: String) -> String? {
        var words = code.split { $0 == " " || $0 == "\t" }.map(String.init)
        while let word = words.first, word.hasPrefix("@") || modifiers.contains(word) { words.removeFirst() }
        guard words.first == "import" else { return nil }
        words.removeFirst()
        if words.count > 1, kinds.contains(words[0]) { words.removeFirst() }
        return words.first?.split { $0 == "." || $0 == ";" }.first.map(String.init)
    }

    private static let modifiers: Set<String> = ["public", "package", "internal", "fileprivate", "private"]
    private static let kinds: Set<String> = [
        "struct", "class", "enum", "protocol", "typealias", "func", "var", "let", "actor",
    ]

    private static func refusal(module: String, imported: String, isTest: Bool, page: ImportPage) -> String? {
        if isTest {
            guard page.modulesOfC.contains(imported) else { return nil }
            return "\(module) → \(imported) is not an arrow of \(ImportPage.path): "
                + "tests never speak C; test through the module that owns \(imported)"
        }
        guard let allowed = page.imports[module] else {
            return "\(module) has no line in \(ImportPage.path); add one that says what it may import"
        }
        guard !allowed.contains(imported), !page.system(for: module).contains(imported) else { return nil }
        return "\(module) → \(imported) is not an arrow of \(ImportPage.path); "
            + (page.isSystem(imported)
                ? "have a module below or above it do this, and pass the value in"
                : "use what \(module) may import, or change the page in the same commit and say why")
    }
}
