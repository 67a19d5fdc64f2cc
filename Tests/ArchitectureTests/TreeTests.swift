import Testing

/// The rules, held against the tree as it is.
@Suite struct `The tree` {
    /// Read once for all tests of the suite.
    private struct Tree {
        let page: ImportPage
        let files: [String]
        let sources: [SourceFile]

        static let read = Result {
            let repository = try Repository()
            let files = try repository.files()
            return Tree(
                page: try ImportPage(text: repository.text(ImportPage.path)),
                files: files,
                sources: try repository.sources(among: files)
            )
        }
    }

    let page: ImportPage
    let files: [String]
    let sources: [SourceFile]

    init() throws {
        let tree = try Tree.read.get()
        page = tree.page
        files = tree.files
        sources = tree.sources
    }

    @Test func `has Swift files in each of its folders`() {
        for folder in ["Sources/", "simulators/", "db/", "Tests/"] {
            #expect(sources.contains { $0.path.hasPrefix(folder) }, "no Swift file under \(folder): wrong root?")
        }
    }

    @Test func `imports only along the arrows of the page`() {
        report(sources.flatMap { ImportRule.violations(in: $0, page: page) })
    }

    @Test func `lets exactly one module import each C library`() {
        report(ImportRule.violations(of: page))
        let maps = files.filter { $0.hasSuffix("/module.modulemap") }
        let modules = Set(maps.compactMap { $0.split(separator: "/").dropLast().last.map(String.init) })
        #expect(modules == page.modulesOfC, "the module maps under Sources and the C modules of the page differ")
    }

    @Test func `does without the banned calls`() {
        report(sources.flatMap(CallRule.violations))
    }

    @Test func `keeps its files short and its names meaningful`() {
        report(sources.flatMap(ShapeRule.violations))
        let others = files.filter { !$0.hasSuffix(".swift") }
        report(others.flatMap(ShapeRule.nameViolations))
    }

    @Test func `has only agreed entries at its top and a page at each door`() {
        report(TreeRule.violations(paths: files))
    }

    @Test func `names only modules that exist in the page`() {
        let folders = Set(sources.filter { !$0.isTest }.compactMap(\.module))
        for module in page.imports.keys.sorted() {
            #expect(folders.contains(module), "\(ImportPage.path) has a line for \(module), which has no folder")
        }
    }

    private func report(_ violations: [Violation]) {
        for violation in violations { Issue.record("\(violation)") }
    }
}
