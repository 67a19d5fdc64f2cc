import Testing

/// Each rule, broken once on made text, so that we know it fails when it should.
@Suite struct `The rules` {
    static let page = """
        # Sources

        ```imports
        OpenSSL: COpenSSL
        PKI: OpenSSL X509
        ```

        ```system
        default: Foundation Dispatch
        PKI: Foundation
        ```
        """

    private func violations(_ path: String, _ text: String, page: String = page) throws -> [Violation] {
        let file = SourceFile(path: path, text: text)
        return ImportRule.violations(in: file, page: try ImportPage(text: page))
            + CallRule.violations(in: file) + ShapeRule.violations(in: file)
    }

    @Test(arguments: [
        "import OpenSSL", "package import X509", "internal import struct X509.Certificate", "import Foundation",
        "// import Hummingbird", "let x = \"import Hummingbird\"", "@preconcurrency import OpenSSL",
    ])
    func `an arrow of the page is allowed`(line: String) throws {
        #expect(try violations("Sources/PKI/Issuer.swift", line) == [])
    }

    @Test(arguments: [
        ("import Hummingbird", "Hummingbird"), ("package import Hummingbird", "Hummingbird"),
        ("@testable import Hummingbird", "Hummingbird"), ("import struct Hummingbird.Router", "Hummingbird"),
        ("import COpenSSL", "COpenSSL"), ("import Dispatch", "Dispatch"), ("  import Dispatch // why", "Dispatch"),
    ])
    func `an arrow that the page does not have is refused by file, line and name`(line: String, name: String) throws {
        let found = try violations("Sources/PKI/Issuer.swift", "// A comment.\n" + line)
        #expect(found.count == 1)
        let text = try #require(found.first).description
        #expect(text.hasPrefix("Sources/PKI/Issuer.swift:2: PKI → \(name) is not an arrow of Sources/README.md"))
    }

    @Test func `a module without a line in the page is refused`() throws {
        let found = try violations("Sources/Weather/Sun.swift", "import Foundation")
        #expect(found.map(\.line) == [1])
        #expect(found.first?.text.contains("Weather has no line") == true)
    }

    @Test func `a file outside every module is refused`() throws {
        #expect(try violations("Sources/Loose.swift", "").first?.text.contains("belongs to no module") == true)
    }

    @Test func `tests may import anything but C`() throws {
        let text = "import Testing\nimport PKI\nimport Hummingbird\nimport COpenSSL"
        let found = try violations("Tests/PKITests/IssuerTests.swift", text)
        #expect(found.map(\.line) == [4])
    }

    @Test func `a C library with two importers is refused`() throws {
        let page = try ImportPage(text: Self.page.replacing("X509", with: "X509 COpenSSL"))
        let found = ImportRule.violations(of: page)
        #expect(found.count == 1)
        #expect(found.first?.text.contains("COpenSSL is imported by OpenSSL and PKI") == true)
        #expect(try ImportRule.violations(of: ImportPage(text: Self.page)) == [])
    }

    @Test func `a page without its blocks, with a bad line or with two lines for one module is refused`() {
        #expect(throws: ImportPage.Failure.blockMissing("imports")) { try ImportPage(text: "# Sources") }
        #expect(throws: ImportPage.Failure.lineUnreadable("PKI OpenSSL")) {
            try ImportPage(text: "```imports\nPKI OpenSSL\n```")
        }
        #expect(throws: ImportPage.Failure.moduleTwice("PKI")) {
            try ImportPage(text: "```imports\nPKI: A\nPKI: B\n```")
        }
        #expect(throws: ImportPage.Failure.systemDefaultMissing) {
            try ImportPage(text: "```imports\nPKI: A\n```\n```system\nPKI: Foundation\n```")
        }
    }

    @Test(arguments: [
        ("let x = try! parse()", "use `try`"), ("let x = y as! Z", "use `as?`"),
        ("fatalError(\"no\")", "throw an error"), ("preconditionFailure()", "throw an error"),
        ("print(x)", "Logger"), ("Task { await run() }", "task group"), ("Task.detached { }", "task group"),
    ])
    func `a banned call is refused with its replacement`(code: String, advice: String) throws {
        let found = try violations("Sources/PKI/Issuer.swift", "func f() {\n    \(code)\n}")
        #expect(found.map(\.line) == [2])
        #expect(found.first?.text.contains(advice) == true)
        #expect(try violations("Tests/PKITests/IssuerTests.swift", code) == [], "tests are free to")
    }

    @Test(arguments: [
        "// never fatalError(", "let x = \"try!\"", "footprint(x)", "writer.print(x)", "struct MyTask {",
        "// Unstructured: ends with the process.\n    Task { }", "Task { } // Unstructured: ends with the process.",
        "let text = \"\"\"\n    print(x)\n    \"\"\"", "group.addTask { }",
    ])
    func `what only looks like a banned call is allowed`(code: String) throws {
        #expect(try violations("Sources/PKI/Issuer.swift", code) == [])
    }

    @Test func `the executables may print, and still not force`() throws {
        let page = Self.page.replacing("PKI: OpenSSL", with: "muster: PKI\nPKI: OpenSSL")
        let found = try violations("Sources/muster/main.swift", "print(1)\ntry! f()", page: page)
        #expect(found.map(\.line) == [2])
    }

    @Test func `a file of more than 500 lines is refused, one of 500 is not`() throws {
        let text = String(repeating: "\n", count: ShapeRule.linesMax)
        #expect(try violations("Sources/PKI/Issuer.swift", text) == [])
        let found = try violations("Sources/PKI/Issuer.swift", text + "\n")
        #expect(found.first?.text.contains("501 lines") == true)
    }

    @Test(arguments: ["StringUtils", "KeyHelper", "DeviceManager", "Misc", "IssuerNew", "IssuerV2"])
    func `an empty name is refused for a type, a file and a folder`(name: String) throws {
        #expect(
            try violations("Sources/PKI/Issuer.swift", "package final class \(name): Sendable {").map(\.line) == [1]
        )
        #expect(try violations("Sources/PKI/\(name).swift", "").first?.text.contains("says nothing") == true)
        #expect(ShapeRule.nameViolations(path: "Sources/\(name)/a.txt").count == 1)
        #expect(ShapeRule.nameViolations(path: "Sources/PKI/Renewal.swift") == [])
    }

    @Test func `a stray entry at the top and a folder without a page are refused`() {
        let good = ["Package.swift", ".gitignore", ".ci/run", "ops/README.md", "ops/up"]
        #expect(TreeRule.violations(paths: good) == [])
        #expect(TreeRule.violations(paths: good + ["notes.txt"]).map(\.path) == ["notes.txt"])
        #expect(TreeRule.violations(paths: good + ["db/schema.sql"]).map(\.path) == ["db"])
        #expect(TreeRule.violations(paths: good + ["docs/README.md"]).map(\.path) == ["docs"])
    }
}
