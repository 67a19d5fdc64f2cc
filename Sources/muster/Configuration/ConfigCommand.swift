import ArgumentParser
import Foundation

/// `muster config`: writes an example configuration, or looks one over.
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Write an example configuration, or look one over.",
        subcommands: [ConfigExampleCommand.self, ConfigCheckCommand.self]
    )
}

/// `muster config example`: every key, explained, with its default.
struct ConfigExampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example",
        abstract: "Print a complete configuration with every key explained."
    )

    func run() throws {
        FileHandle.standardOutput.write(Data(ServerConfiguration.exampleYAML.utf8))
    }
}

/// `muster config check FILE`: everything that is wrong, at once; exit status 1 if anything is.
struct ConfigCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look a configuration over, with the environment as it is, and the files it names."
    )

    @Argument(help: "The configuration file.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Option(name: .customLong("set"), help: "Set a key, over the file: --set est.listen=0.0.0.0:8443.")
    var overrides: [String] = []

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        do {
            print(try ConfigurationCheck.check(file: file, environment: environment, overrides: overrides))
        } catch {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            throw ExitCode(1)
        }
    }
}

/// The options by which any command takes the server's configuration: `--config FILE`, and `--set KEY=VALUE` as often
/// as needed.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: "The configuration file.",
        completion: .file(extensions: ["yaml", "yml"])
    )
    var file: String?

    @Option(name: .customLong("set"), help: "Set a key, over environment and file: --set est.listen=0.0.0.0:8443.")
    var overrides: [String] = []

    /// Reads the configuration, with the environment of the process.
    ///
    /// - Throws: All that is wrong, at once.
    func load() throws(ConfigurationProblems) -> ServerConfiguration {
        try ServerConfiguration.load(
            file: file,
            environment: ProcessInfo.processInfo.environment,
            overrides: overrides
        )
    }
}
