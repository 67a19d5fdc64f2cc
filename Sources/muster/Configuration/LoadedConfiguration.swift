import Foundation

/// A configuration together with how it was written: where each key was set, and as which text. This serves problems
/// that show after the reading, and SIGHUP, on which the configuration is read again.
struct LoadedConfiguration: Sendable {
    /// The configuration.
    let configuration: ServerConfiguration
    /// Where each key that was set was set, by full name.
    let origins: [String: ConfigurationOrigin]
    /// The text of each key that was set, by full name. There are no secrets among them, for none are taken.
    private let texts: [String: String]

    /// Reads the configuration; see `ServerConfiguration.load` for the parameters.
    ///
    /// - Throws: All that is wrong, at once.
    init(
        file path: String?,
        environment: [String: String],
        overrides: [String]
    ) throws(ConfigurationProblems) {
        var file: ConfigurationFile?
        do {
            if let path { file = try ConfigurationFile.read(path) }
        } catch {
            // Of a file that is not YAML nothing else can be said, but of the environment and the command line.
            let others = ConfigurationSettings(file: nil, environment: environment, overrides: overrides).problems
            throw ConfigurationProblems(error.problems + others) ?? error
        }
        let settings = ConfigurationSettings(file: file, environment: environment, overrides: overrides)
        var reading = ConfigurationReading(settings, folder: Self.folder(of: path))
        let configuration = ServerConfiguration(&reading)
        if let problems = ConfigurationProblems(reading.problems) { throw problems }
        guard let configuration else {
            // Every nil is reported where it arises; this line is for the day when one is not.
            let origin = path.map { ConfigurationOrigin.wholeFile(path: $0) } ?? .nowhere
            throw ConfigurationProblems(ConfigurationProblem(origin: origin, key: nil, text: "is incomplete"))
        }
        self.configuration = configuration
        self.origins = reading.origins
        self.texts = reading.origins.keys.reduce(into: [:]) { $0[$1] = settings.setting($1)?.text }
    }

    /// The keys whose values differ from an earlier configuration's and are taken only by a restart, sorted. A key
    /// that is left out counts as its default.
    func keysNeedingRestart(since earlier: Self) -> [String] {
        let known = Dictionary(ConfigurationKeys.all.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return Set(texts.keys).union(earlier.texts.keys)
            .filter { name in
                guard let key = known[ConfigurationName.pattern(of: name)], !key.reloadable else { return false }
                var standard: String?
                if case .standard(let text) = key.presence { standard = text }
                return (texts[name] ?? standard) != (earlier.texts[name] ?? standard)
            }
            .sorted()
    }

    /// The whole path of the folder that the file is in; without a file, the working directory.
    private static func folder(of path: String?) -> String {
        let here = FileManager.default.currentDirectoryPath
        guard let path, let slash = path.lastIndex(of: "/") else { return here }
        let folder = slash == path.startIndex ? "/" : String(path[..<slash])
        return folder.hasPrefix("/") ? folder : "\(here)/\(folder)"
    }
}
