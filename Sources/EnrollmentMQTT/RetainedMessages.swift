package import Enrollment
package import Logging
package import MQTT
import ServiceLifecycle

/// Has the latest retained message of each topic published again whenever the broker has been away: one that was killed
/// has lost what it had not saved, and nobody would ever hear of it. Whoever has a message already takes it twice.
package struct RetainedMessages: Service {
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

    private func publishAgain() async {
        do {
            try await outbox.awaitRetainedAgain()
            logger.info("the broker is back; retained messages are published again")
        } catch {
            // A database that is away has alarms of its own, and the broker's next return tries again.
            logger.warning("retained messages are not published again", metadata: ["reason": "\(error)"])
        }
    }
}
