import Configuration

/// What the command line, the environment and the file set, as text under full names; the first of the three that
/// sets a key wins.
///
/// Each layer is a provider of swift-configuration. They are asked one by one, and not through a `ConfigReader`, for
/// that does not tell which of them answered, and a problem has to name the line, variable or option to mend. The
/// command line is an in-memory provider too: a `CommandLineArgumentsProvider` reads every argument of the process,
/// as `--est-listen …`, and would take the other options of the command for keys.
struct ConfigurationSettings: Sendable {
    /// How many `--set` options are read.
    static let overridesMax = 256

    /// How many entries of each list any layer speaks of, by its section.
    private(set) var entryCounts: [String: Int]
    /// Unknown or malformed names in any layer, and the faults of the file's shape.
    private(set) var problems: [ConfigurationProblem]
    private let file: ConfigurationFile?
    private var origins: [String: ConfigurationOrigin] = [:]
    private var layers: [any ConfigProvider] = []

    /// Lays the command line over the environment over the file.
    init(file: ConfigurationFile?, environment: [String: String], overrides: [String]) {
        self.file = file
        self.problems = file?.problems ?? []
        self.entryCounts = file?.entryCounts ?? [:]
        layers.append(commandLine(overrides))
        layers.append(variables(environment))
        let texts = (file?.settings ?? [:]).mapValues(\.text)
        layers.append(Self.inMemory("file", texts))
    }

    /// The text of a key and where it was set; nil if no layer sets it.
    func setting(_ name: String) -> (text: String, origin: ConfigurationOrigin)? {
        let key = AbsoluteConfigKey(ConfigKey(name))
        for (index, layer) in layers.enumerated() {
            guard let found = try? layer.value(forKey: key, type: .string),
                case .string(let text) = found.value?.content
            else { continue }
            switch index {
            case 0: return (text, origins[name] ?? .nowhere)
            case 1: return (text, .environment(variable: found.encodedKey))
            default: return (text, file?.settings[name]?.origin ?? .nowhere)
            }
        }
        return nil
    }

    /// Where a missing key would stand: its section, or else the file.
    func origin(ofMissing name: String) -> ConfigurationOrigin {
        var section = name[...]
        while !section.isEmpty {
            if let origin = file?.sections[String(section)] { return origin }
            section = section[..<(section.lastIndex(of: ".") ?? section.startIndex)]
        }
        return file.map { .wholeFile(path: $0.path) } ?? .nowhere
    }

    // MARK: The command line

    private mutating func commandLine(_ overrides: [String]) -> InMemoryProvider {
        var texts: [String: String] = [:]
        for (number, override) in zip(1..., overrides) {
            let origin = ConfigurationOrigin.commandLine(number: number)
            guard number <= Self.overridesMax else {
                report(origin, nil, "there are more than \(Self.overridesMax) of them; use a file")
                break
            }
            // The text may be a secret that slipped: it is repeated only if it looks like a key.
            guard let equals = override.firstIndex(of: "=") else {
                report(origin, nil, "has no =; write --set est.listen=0.0.0.0:8443")
                continue
            }
            let name = String(override[..<equals])
            guard ConfigurationName.isRepeatable(name), name.contains(".") else {
                report(origin, nil, "does not begin with a key; write --set est.listen=0.0.0.0:8443")
                continue
            }
            let pattern = ConfigurationName.pattern(of: name)
            guard ConfigurationKeys.names.contains(pattern) else {
                report(origin, name, ConfigurationFile.unknown(pattern, named: name))
                continue
            }
            guard texts.updateValue(String(override[override.index(after: equals)...]), forKey: name) == nil else {
                report(origin, name, "is set by --set twice; keep one")
                continue
            }
            origins[name] = origin
            countEntry(in: name, separator: ".", origin)
        }
        return Self.inMemory("command line", texts)
    }

    // MARK: The environment

    private mutating func variables(_ environment: [String: String]) -> any ConfigProvider {
        let known = Dictionary(
            ConfigurationKeys.all.map { ($0.environmentVariable, $0.name) },
            uniquingKeysWith: { first, _ in first }
        )
        let prefix = ConfigurationName.environmentPrefix + "_"
        for variable in environment.keys.filter({ $0.hasPrefix(prefix) }).sorted() {
            let origin = ConfigurationOrigin.environment(variable: variable)
            let pattern = ConfigurationName.pattern(of: variable, separator: "_")
            if known[pattern] != nil {
                countEntry(in: variable.dropFirst(prefix.count).lowercased(), separator: "_", origin)
            } else if known[pattern + "_FILE"] != nil {
                report(origin, nil, "is not given here; put it in a file and name that with \(variable)_FILE")
            } else if let nearest = ConfigurationName.nearestVariable(to: pattern, among: known.keys.sorted()) {
                let index = variable.split(separator: "_").first { Int($0) != nil }.map(String.init) ?? "*"
                let meant = nearest.replacing("*", with: index)
                report(origin, nil, "is not known; did you mean \(meant)?")
            }
        }
        return EnvironmentVariablesProvider(environmentVariables: environment).mapKeys { key in
            let words = key.components.flatMap { ConfigurationName.words(of: $0) }
            return AbsoluteConfigKey([ConfigurationName.environmentPrefix] + words)
        }
    }

    private mutating func countEntry(in name: String, separator: Character, _ origin: ConfigurationOrigin) {
        let parts = name.split(separator: separator)
        guard parts.count > 1, let entriesMax = ConfigurationKeys.listSections[String(parts[0])] else { return }
        guard let index = Int(parts[1]), index < entriesMax, String(index) == parts[1] else {
            report(origin, nil, "counts \(parts[0]) from 0 to \(entriesMax - 1), without zeros before")
            return
        }
        entryCounts[String(parts[0])] = max(entryCounts[String(parts[0])] ?? 0, index + 1)
    }

    private static func inMemory(_ name: String, _ texts: [String: String]) -> InMemoryProvider {
        let values = texts.map { name, text in
            (AbsoluteConfigKey(ConfigKey(name)), ConfigValue(.string(text), isSecret: false))
        }
        return InMemoryProvider(name: name, values: Dictionary(values, uniquingKeysWith: { first, _ in first }))
    }

    private mutating func report(_ origin: ConfigurationOrigin, _ key: String?, _ text: String) {
        problems.append(ConfigurationProblem(origin: origin, key: key, text: text))
    }
}
