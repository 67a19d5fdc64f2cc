package import Enrollment
package import Logging
package import MQTT
import ServiceLifecycle

/// Publishes what waits in the outbox, in order for each fleet. An event counts as published when the broker has
/// acknowledged it (QoS 1, M-03); until then it waits, however long the broker is away.
package struct OutboxPublisher: Service {
    /// Events taken at once, whose fleets are left to this server until all are out.
    private static let batchMax = 64
    /// Batches in one go before the outbox is asked anew whether it was meant.
    private static let batchesMax = 10_000

    private let outbox: any Outbox
    private let broker: MQTTClient
    private let onPublished: @Sendable (OutboxEvent) -> Void
    private let logger: Logger

    /// - Parameter onPublished: Told of each event that the broker took; must not wait.
    package init(
        outbox: any Outbox,
        broker: MQTTClient,
        onPublished: @escaping @Sendable (OutboxEvent) -> Void = { _ in },
        logger: Logger
    ) {
        self.onPublished = onPublished
        self.outbox = outbox
        self.broker = broker
        self.logger = logger
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in outbox.wakeups() { await drain() }
        }
    }

    private func drain() async {
        for _ in 0..<Self.batchesMax {
            do {
                let published = try await outbox.publishWaiting(limit: Self.batchMax) { event in
                    try await broker.publish(
                        topic: event.topic,
                        payload: event.payload,
                        qos: .atLeastOnce,
                        retain: event.retained
                    )
                    onPublished(event)
                    logger.info("published", metadata: ["topic": "\(event.topic)", "event": "\(event.id)"])
                }
                if published == 0 { return }
            } catch {
                // The next wakeup, at the latest a few seconds on, tries again.
                logger.warning("outbox waits", metadata: ["reason": "\(error)"])
                return
            }
        }
    }
}
