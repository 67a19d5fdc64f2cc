package import Enrollment
package import Foundation
package import Logging
package import MQTT
import PKI
import ServiceLifecycle

/// Takes devices' acknowledgements of trust stores to the record. Replicas share the work by a shared subscription.
package struct AcknowledgementCollector: Service {
    /// An acknowledgement is small; a larger message is none.
    package static let octetsMax = 4 * 1024
    /// What replicas subscribe to together (MQTT 5 section 4.8.2).
    package static let filter = "$share/muster/muster/v1/devices/+/truststore/ack"

    private static let retryInterval: Duration = .seconds(1)

    private let record: any AcknowledgementRecord
    private let broker: MQTTClient
    private let logger: Logger
    private let now: @Sendable () -> Date

    package init(
        record: any AcknowledgementRecord,
        broker: MQTTClient,
        logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.record = record
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
                try await broker.subscribe([Self.filter], qos: .atLeastOnce)
                return
            } catch {
                logger.warning("acknowledgements not subscribed yet", metadata: ["reason": "\(error)"])
                try? await Task.sleep(for: Self.retryInterval)
            }
        }
    }

    private func take(_ message: MQTTMessage) async {
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

    /// Who acknowledges what. The topic says who: the broker lets a device write below its own name alone, whatever
    /// the content claims.
    static func parse(topic: String, payload: [UInt8]) -> (names: DeviceNames, version: Int64)? {
        struct Content: Decodable {
            let type: String
            let version: Int64
        }
        let parts = topic.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "muster", parts[1] == "v1", parts[2] == "devices",
            parts[4] == "truststore", parts[5] == "ack"
        else { return nil }
        let name = parts[3].split(separator: "@", omittingEmptySubsequences: false)
        guard name.count == 2, let device = DeviceID(String(name[0])), let fleet = FleetName(String(name[1])),
            payload.count <= octetsMax,
            let content = try? JSONDecoder().decode(Content.self, from: Data(payload)),
            content.type == "muster.truststore.ack.v1", content.version > 0
        else { return nil }
        return (DeviceNames(device: device, fleet: fleet), content.version)
    }
}
