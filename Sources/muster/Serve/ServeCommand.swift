import ArgumentParser
import Foundation
import Logging

/// `muster serve`: serves until it is told to stop.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the fleets of a database.",
        discussion: """
            SIGTERM and SIGINT end it in order: requests in flight are answered first. SIGHUP reads the configuration \
            again and takes what can change without a restart: the device front's certificate and key.
            """
    )

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        try await refusing {
            let loaded = try LoadedConfiguration(
                file: options.file,
                environment: environment,
                overrides: options.overrides
            )
            let logger = Logger(serving: loaded.configuration.log)
            let server = try await MusterServer(loaded.configuration, logger: logger)
            try await server.run(
                reloading: {
                    try LoadedConfiguration(file: options.file, environment: environment, overrides: options.overrides)
                        .configuration
                },
                onReady: { ports in
                    logger.notice("serving", metadata: ["est": "\(ports.est)", "public": "\(ports.publicFront)"])
                }
            )
        }
    }
}
