import Foundation
import TestPeers
import Testing

/// A Mosquitto with the production configuration on a bed, and an agent beside it that ends the sessions of revoked
/// devices.
struct SessionScene: Sendable {
    let bed: AgentBed
    let agent: BackgroundProgram
    private let document: MusterDev.Document
    /// Its files go with it, and each start of the agent reads them.
    private let gateway: SystemDevice

    /// The bed has a server.
    init(_ own: RevocationBed) async throws {
        document = own.document
        bed = try await AgentBed(document)
        gateway = try await SystemDevice(document).enrolled()
        try bed.configure(
            """
            broker:
              host: \(document.mqtt.host)
              port: \(document.mqtt.port)
              caFile: \(document.files.root)
              certificateFile: \(gateway.chainFile)
              keyFile: \(gateway.keyFile)
            reload:
              pidFile: \(own.state)/mosquitto/mosquitto.pid
            mosquitto:
              endSessions: true
            """
        )
        try await bed.prepare()
        try await SystemTests.MosquittoTests.adopt(bed, state: own.state, agent: gateway)
        agent = try await bed.startAgent()
        let (record, name) = (own.record, gateway.id)
        try await Eventually.holds("the agent's first report: \(agent.log.suffix(2_000))") {
            try await record.query("select count(*) from agent_lists where device_id = '\(name)'") != "0"
        }
    }

    /// What the agent does not forget when it is killed.
    var agentState: String { bed.output + "/state/state.json" }

    /// A device with a live session.
    func listener() async throws -> SystemTests.MosquittoTests.Listener {
        try await SystemTests.MosquittoTests.Listener(SystemDevice(document).enrolled())
    }
}
