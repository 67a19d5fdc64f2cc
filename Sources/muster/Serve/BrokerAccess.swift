import Foundation
import Logging
import MQTT

/// How the server reaches the broker.
enum BrokerAccess {
    static func client(_ mqtt: ServerConfiguration.MQTT, logger: Logger) throws -> MQTTClient {
        let tls = TLSMaterial(
            anchors: try ServerMaterial.read(mqtt.caFile, key: "mqtt.caFile"),
            certificateChain: try ServerMaterial.read(mqtt.certificateFile, key: "mqtt.certificateFile"),
            privateKey: try ServerMaterial.secret(mqtt.keyFile, key: "mqtt.keyFile")
        )
        // Each process has a name of its own: a broker ends the older of two sessions of one name (M-08).
        let name = "\(mqtt.clientIDPrefix)-\(String(UInt32.random(in: 0 ... .max), radix: 16))"
        return MQTTClient(
            configuration: MQTTConfiguration(host: mqtt.host, port: mqtt.port, clientID: name, tls: tls),
            logger: logger
        )
    }
}
