/// Who may import what, as the page at the door of `Sources` says it.
///
/// The page holds two fenced blocks. A line of `imports` is a module and what it may import:
///
///     PKI: OpenSSL Crypto SwiftASN1 X509
///
/// A line of `system` names the modules of the platform that all may import (`default`), or that one module may
/// import in their stead.
struct ImportPage {
    enum Failure: Error, Equatable {
        /// The page has no fenced block of that name.
        case blockMissing(String)
        /// A line of a block is not `module: names`.
        case lineUnreadable(String)
        /// Two lines speak for one module.
        case moduleTwice(String)
        /// The block `system` has no line `default`.
        case systemDefaultMissing
    }

    static let path = "Sources/README.md"

    let imports: [String: Set<String>]
    private let system: [String: Set<String>]
    private let systemDefault: Set<String>

    init(text: String) throws(Failure) {
        imports = try Self.block("imports", in: text)
        system = try Self.block("system", in: text)
        guard let systemDefault = system["default"] else { throw .systemDefaultMissing }
        self.systemDefault = systemDefault
    }

    /// The platform's modules that `module` may import.
    func system(for module: String) -> Set<String> { system[module] ?? systemDefault }

    /// True if the platform's module of that name is known to the page at all.
    func isSystem(_ name: String) -> Bool { system.values.contains { $0.contains(name) } }

    /// The modules of C that the page knows, by the house's naming: `COpenSSL`, `CLibpq`, `CMosquitto`.
    var modulesOfC: Set<String> {
        imports.values.reduce(into: []) { all, names in all.formUnion(names.filter(Self.isModuleOfC)) }
    }

    /// `C` and then another capital: a module map over a C library.
    static func isModuleOfC(_ name: String) -> Bool {
        name.count > 1 && name.first == "C" && name.dropFirst().first?.isUppercase == true
    }

    private static func block(_ name: String, in text: String) throws(Failure) -> [String: Set<String>] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(of: "```\(name)") else { throw .blockMissing(name) }
        var entries: [String: Set<String>] = [:]
        for line in lines[(start + 1)...] {
            if line.hasPrefix("```") { return entries }
            let words = line.split(separator: " ").map(String.init)
            guard let first = words.first else { continue }
            guard first.hasSuffix(":"), first.count > 1 else { throw .lineUnreadable(String(line)) }
            let module = String(first.dropLast())
            guard entries.updateValue(Set(words.dropFirst()), forKey: module) == nil else { throw .moduleTwice(module) }
        }
        throw .blockMissing(name)
    }
}
