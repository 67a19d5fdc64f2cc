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
                let agent = try agent(settings, broker: nil, terminator: nil, logger: logger)
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
            let broker = try settings.broker.map { try AgentBroker($0, fleet: settings.fleet, logger: logger) }
            let ending = settings.endsSessions ? broker : nil
            let terminator = ProgramTerminator(settings.reload, logFile: settings.output + "/state/reload.log") {
                try await ending?.endSessions(of: $0)
            }
            let service = AgentService(
                agent: try agent(settings, broker: broker, terminator: terminator, logger: logger),
                broker: broker,
                poll: settings.poll,
                logger: logger
            )
            try await ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [.init(service: service)],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger
                )
            ).run()
        }
    }

    private func agent(
        _ settings: AgentConfiguration,
        broker: AgentBroker?,
        terminator: ProgramTerminator?,
        logger: Logger
    ) throws -> FleetAgent {
        let text = String(decoding: try ServerMaterial.read(settings.anchorFile, key: "anchorFile"), as: UTF8.self)
        let anchors = (try? PEMDocument.parseMultiple(pemString: text)) ?? []
        guard !anchors.isEmpty else { throw AgentProblem("anchorFile: \(settings.anchorFile) has no certificate, PEM") }
        return try FleetAgent(
            FleetAgent.Settings(
                fleet: settings.fleet,
                anchors: anchors.map { [UInt8]($0.derBytes) },
                listFiles: settings.listFiles,
                endsSessions: settings.endsSessions
            ),
            folder: settings.output,
            front: HTTPPublicFront(url: settings.url),
            terminator: terminator,
            audience: broker,
            now: { Date() },
            logger: logger
        )
    }
}
