/// The top of the tree stays small, and each of its folders has a page at the door.
enum TreeRule {
    static let agreedEntries: Set<String> = [
        "Package.swift", "Sources", "Tests", "db", "simulators", "ops", "README.md", "LICENSE", "CONTRIBUTING.md",
        "SECURITY.md", "CHANGELOG.md",
    ]

    /// Faults in a tree that holds `paths`, files relative to its root.
    static func violations(paths: [String]) -> [Violation] {
        let all = Set(paths)
        let entries = Set(paths.compactMap { $0.split(separator: "/").first.map(String.init) }).sorted()
        return entries.filter { !$0.hasPrefix(".") }.flatMap { entry in
            var found: [Violation] = []
            if !agreedEntries.contains(entry) {
                let text = "is not an agreed entry of the top; put it into one of the folders there"
                found.append(Violation(path: entry, line: 0, text: text))
            }
            if !all.contains(entry), !all.contains("\(entry)/README.md") {
                let text = "has no README.md; say there what lives here and how the commonest change is made"
                found.append(Violation(path: entry, line: 0, text: text))
            }
            return found
        }
    }
}
