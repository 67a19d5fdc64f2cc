package import Enrollment
package import Foundation
package import Logging
package import MQTT
import PKI
import ServiceLifecycle

/// Takes devices' acknowledgements of trust stores to the record, and agents' reports.
package struct AcknowledgementCollector: Service {
    /// An acknowledgement is small; a larger message is none.
    package static let octetsMax = 4 * 1024
    /// What replicas subscribe to together (MQTT 5 section 4.8.2).
    package static let filter = "$share/muster/muster/v1/devices/+/truststore/ack"
    /// What each replica hears for itself: who shares a subscription is not told what the broker retains, and a report is
    /// retained so that it is not lost while nobody listens. The first to record one does it for all.
    package static let reportFilter = "muster/v1/devices/+/agent/status"

    private static let retryInterval: Duration = .seconds(1)

    private let record: any AcknowledgementRecord
    private let agents: any AgentRecord
    private let onAdvance: @Sendable (AgentAdvance) -> Void
    private let broker: MQTTClient
    private let logger: Logger
    private let now: @Sendable () -> Date

    /// - Parameter onAdvance: Told what each report brought; must not wait.
    package init(
        record: any AcknowledgementRecord,
        agents: any AgentRecord,
        broker: MQTTClient,
        onAdvance: @escaping @Sendable (AgentAdvance) -> Void = { _ in },
        logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.record = record
        self.agents = agents
        self.onAdvance = onAdvance
        self.broker = broker
        self.logger = logger
        self.now = now
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await subscribe()
            for await message in broker.messages { await take(message) }
        }
    }

    /// The client keeps the subscription over reconnects, and asks for it at the first connection.
    private func subscribe() async {
        while !Task.isCancelled {
            do {
                try await broker.subscribe([Self.filter, Self.reportFilter], qos: .atLeastOnce)
                return
            } catch {
                logger.warning("acknowledgements not subscribed yet", metadata: ["reason": "\(error)"])
                try? await Task.sleep(for: Self.retryInterval)
            }
        }
    }

    private func take(_ message: MQTTMessage) async {
        if let names = DeviceBranch.names(message.topic, ending: ["agent", "status"]) {
            return await take(reportOf: names, message.payload)
        }
        guard let acknowledgement = Self.parse(topic: message.topic, payload: message.payload) else {
            logger.warning("not an acknowledgement", metadata: ["topic": "\(message.topic.prefix(128))"])
            return
        }
        do {
            let noted = try await record.acknowledge(
                fleet: acknowledgement.names.fleet,
                device: acknowledgement.names.device,
                version: acknowledgement.version,
                at: now()
            )
            if !noted {
                logger.warning(
                    "acknowledgement of an unknown device or version",
                    metadata: ["device": "\(acknowledgement.names.commonName)"]
                )
            }
        } catch {
            // A lost acknowledgement costs nothing: the device says it again with the next trust store.
            logger.warning("acknowledgement not recorded", metadata: ["error": "\(error)"])
        }
    }

    private func take(reportOf names: DeviceNames, _ payload: [UInt8]) async {
        let about: Logger.Metadata = ["device": "\(names.commonName)"]
        // Who takes a retained report away says nothing.
        guard !payload.isEmpty else { return }
        guard let report = AgentReport(payload) else {
            return logger.warning("not an agent's report", metadata: about)
        }
        do {
            guard let advance = try await agents.report(report, of: names, at: now()) else {
                return logger.warning(
                    "report of an unknown or revoked device, or of one agent too many",
                    metadata: about
                )
            }
            onAdvance(advance)
        } catch {
            // The broker keeps the report, and tells it at the next connection; the agent's next one says more.
            logger.warning("agent's report not recorded", metadata: ["error": "\(error)"])
        }
    }

    /// Who acknowledges what. The topic says who: the broker lets a device write below its own name alone, whatever
    /// the content claims.
    static func parse(topic: String, payload: [UInt8]) -> (names: DeviceNames, version: Int64)? {
        struct Content: Decodable {
            let type: String
            let version: Int64
        }
        guard let names = DeviceBranch.names(topic, ending: ["truststore", "ack"]), payload.count <= octetsMax,
            let content = try? JSONDecoder().decode(Content.self, from: Data(payload)),
            content.type == "muster.truststore.ack.v1", content.version > 0
        else { return nil }
        return (names, content.version)
    }
}
