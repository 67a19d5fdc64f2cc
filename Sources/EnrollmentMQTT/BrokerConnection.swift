package import MQTT
import ServiceLifecycle

/// Keeps the connection to the broker as long as the server runs. Its absence never stops the server.
package struct BrokerConnection: Service {
    private let client: MQTTClient

    package init(client: MQTTClient) { self.client = client }

    package func run() async throws {
        await cancelWhenGracefulShutdown { await client.run() }
    }
}
