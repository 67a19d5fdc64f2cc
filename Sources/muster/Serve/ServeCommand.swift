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
            again and takes what can change without a restart: the fronts' certificates and keys, webhooks with their \
            secrets, and the log's level.
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
            let log = loaded.configuration.log
            let threshold = LogThreshold(log.level)
            let logger = Logger(serving: log.format, threshold: threshold)
            let server = try await MusterServer(loaded.configuration, threshold: threshold, logger: logger)
            try await server.run(
                reloading: {
                    try LoadedConfiguration(file: options.file, environment: environment, overrides: options.overrides)
                        .configuration
                },
                onReady: { ports in
                    var metadata: Logger.Metadata = [
                        "est": "\(ports.est)", "public": "\(ports.publicFront)", "metrics": "\(ports.metrics)",
                    ]
                    metadata["operator"] = ports.operatorFront.map { "\($0)" }
                    logger.notice("serving", metadata: metadata)
                }
            )
        }
    }
}
