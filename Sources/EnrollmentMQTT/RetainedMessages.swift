package import Enrollment
package import Logging
package import MQTT
import ServiceLifecycle

/// Publishes the latest retained message of each topic again whenever the broker has been away: one that was killed has
/// lost what it had not saved, and nobody would ever hear of it. Whoever has a message already takes it twice.
package struct RetainedMessages: Service {
    /// Events taken at once.
    private static let batchMax = 64
    /// Times that it looks again whether something newer was published meanwhile.
    private static let passesMax = 1_000

    private let outbox: any Outbox
    private let broker: MQTTClient
    private let logger: Logger

    /// - Parameter broker: Nobody else reads its events.
    package init(outbox: any Outbox, broker: MQTTClient, logger: Logger) {
        self.outbox = outbox
        self.broker = broker
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var wasConnected = false
            for await event in broker.events {
                guard case .connected = event else { continue }
                // At the first connection there is nothing that this server knows to be lost.
                if wasConnected { await publishAgain() }
                wasConnected = true
            }
        }
    }

    /// It ends only with a look that finds nothing newer than what it has just published: otherwise its older message
    /// could have come after the newer one of another server.
    private func publishAgain() async {
        var last: Int64 = 0
        do {
            for _ in 0..<Self.passesMax {
                let events = try await outbox.latestRetained(after: last, limit: Self.batchMax)
                guard !events.isEmpty else { return }
                for event in events {
                    try await broker.publish(
                        topic: event.topic,
                        payload: event.payload,
                        qos: .atLeastOnce,
                        retain: true
                    )
                    last = event.id
                    logger.info("published again", metadata: ["topic": "\(event.topic)", "event": "\(event.id)"])
                }
            }
        } catch {
            // A broker that is away again is told at its next return; a database that is away has alarms of its own.
            logger.warning("retained messages were not published again", metadata: ["reason": "\(error)"])
        }
    }
}
