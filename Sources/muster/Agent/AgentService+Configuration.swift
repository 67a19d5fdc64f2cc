import Agent
import Foundation
import Logging
import SwiftASN1

extension AgentService {
    /// The agent of a configuration, with its broker and the program beside it.
    init(_ settings: AgentConfiguration, logger: Logger) throws {
        let broker = try settings.broker.map { try AgentBroker($0, fleet: settings.fleet, logger: logger) }
        let ending = settings.endsSessions ? broker : nil
        let terminator = ProgramTerminator(settings.reload, logFile: settings.output + "/state/reload.log") {
            try await ending?.endSessions(of: $0)
        }
        self.init(
            agent: try FleetAgent(settings, broker: broker, terminator: terminator, logger: logger),
            broker: broker,
            poll: settings.poll,
            logger: logger
        )
    }
}

extension FleetAgent {
    /// The one that keeps the files of a configuration.
    init(
        _ settings: AgentConfiguration,
        broker: AgentBroker?,
        terminator: ProgramTerminator?,
        logger: Logger
    ) throws {
        let text = String(decoding: try ServerMaterial.read(settings.anchorFile, key: "anchorFile"), as: UTF8.self)
        let anchors = (try? PEMDocument.parseMultiple(pemString: text)) ?? []
        guard !anchors.isEmpty else { throw AgentProblem("anchorFile: \(settings.anchorFile) has no certificate, PEM") }
        try self.init(
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
