import Agent
import ArgumentParser
import Foundation
import Logging
import PKI
import ServiceLifecycle
import SwiftASN1
import UnixSignals

/// `muster agent`: beside a broker or a gateway.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Keep the trust store and the CRLs of a broker or gateway current.",
        discussion: """
            Follows a fleet, verifies what it publishes, keeps truststore.pem, capath/ and crl.pem in a folder, and has the \
            program beside it read them. Nothing empty, expired, older or unverifiable ever takes the place of a good file. \
            status.json and status.prom in the folder say what is in force and what is wrong.
            """
    )

    /// How long `--once` tries, and how often.
    private static let oncePatience: Duration = .seconds(10)
    private static let oncePause: Duration = .milliseconds(500)

    @Option(help: "The agent's configuration, YAML.", completion: .file(extensions: ["yaml"]))
    var config: String?
    @Flag(help: "Bring the files up to date once, have nothing read them, and end: before the gateway's first start.")
    var once = false
    @Flag(help: "Print a configuration to start from.")
    var example = false

    func validate() throws {
        guard example || config != nil else { throw ValidationError("say --config agent.yaml, or --example") }
    }

    func run() async throws {
        try await refusing {
            guard !example, let config else {
                FileHandle.standardOutput.write(Data(AgentConfiguration.example.utf8))
                return
            }
            let settings = try AgentConfiguration(file: config)
            let logger = Logger(serving: settings.format, threshold: LogThreshold(settings.level))
            if once {
                let agent = try FleetAgent(settings, broker: nil, terminator: nil, logger: logger)
                // A server that has just started has signed nothing yet.
                let deadline = ContinuousClock.now + Self.oncePatience
                while await !agent.look().isComplete {
                    guard ContinuousClock.now < deadline else {
                        let faults = await agent.status.faults.map { "\($0.about): \($0.reason)" }
                        throw AgentProblem("not all is in force; \(faults.joined(separator: "; "))")
                    }
                    try await Task.sleep(for: Self.oncePause)
                }
                return
            }
            let service = try AgentService(settings, logger: logger)
            try await ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: service)],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger
                )
            ).run()
        }
    }
}
