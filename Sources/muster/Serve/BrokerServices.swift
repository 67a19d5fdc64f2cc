import CoreMetrics
import EnrollmentMQTT
import EnrollmentPostgres
import Logging
import MQTT
import Postgres
import ServiceLifecycle

/// What speaks with the broker: publishes the outbox and retained messages, and hears devices and agents.
struct BrokerServices {
    private let client: MQTTClient
    private let logger: Logger

    /// Reads keys and certificates; nothing connects yet.
    init(_ configuration: ServerConfiguration.MQTT, logger: Logger) throws {
        client = try BrokerAccess.client(configuration, logger: logger)
        self.logger = logger
    }

    /// In order of dependence.
    func all(outbox: PostgresOutbox, pool: PostgresPool, factory: any MetricsFactory) -> [any Service] {
        [
            BrokerConnection(client: client),
            OutboxPublisher(
                outbox: outbox,
                broker: client,
                onPublished: OutboxMetrics(factory: factory).published,
                logger: logger
            ),
            RetainedMessages(outbox: outbox, broker: client, logger: logger),
            AcknowledgementCollector(
                record: outbox,
                agents: PostgresAgents(pool: pool),
                broker: client,
                onAdvance: AgentMetrics(factory: factory).advanced,
                logger: logger
            ),
        ]
    }
}
