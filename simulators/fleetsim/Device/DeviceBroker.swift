import Crypto
import Foundation
import Logging
import MQTT
import PKI
import SwiftASN1
import X509

/// The broker as a device of the fleet meets it.
struct DeviceBroker: Sendable {
    /// How long a device waits for the retained trust store after it has subscribed.
    static let trustStoreTimeout: Duration = .seconds(30)
    /// How long a device waits for the broker to take it, while many others connect.
    private static let connectTimeout: Duration = .seconds(60)

    private let endpoint: LoopbackEndpoint
    private let fleet: FleetName
    private let check: TrustStoreCheck
    private let rootPEM: [UInt8]
    /// Devices are many and say nothing one by one; the report counts what befell them.
    private let logger = Logger(label: "muster-sim.mqtt") { _ in SwiftLogNoOpLogHandler() }

    init(_ file: DevFile, fleet name: String, root: [UInt8]) throws {
        guard let broker = file.mqtt else { throw SimulatorError.devFile("dev.json has no mqtt; run without --mqtt") }
        guard let fleet = FleetName(name) else { throw SimulatorError.devFile("\(name) is not a fleet's name") }
        endpoint = try LoopbackEndpoint(host: broker.host, port: broker.port)
        self.fleet = fleet
        check = TrustStoreCheck(root: root, fleet: fleet)
        let pem = PEMDocument(type: Certificate.defaultPEMDiscriminator, derBytes: root).pemString + "\n"
        rootPEM = Array(pem.utf8)
    }

    /// Connects over mutual TLS, takes the fleet's trust store, verifies it and acknowledges it at QoS 1.
    /// - Returns: The version that was acknowledged; the broker has the acknowledgement.
    /// - Throws: `CheckFailure` for a trust store that a device must not install.
    func acknowledge(deviceID: String, identity: OperationalIdentity) async throws -> Int64 {
        let name = name(of: deviceID)
        let configuration = try configuration(name, identity)
        return try await MQTTClient.withClient(configuration: configuration, logger: logger) { client in
            let topic = "muster/v1/fleets/\(fleet)/truststore"
            try await client.subscribe([topic], qos: .atLeastOnce)
            let message = try await trustStore(from: client, topic: topic)
            let now = Date()
            let version = try check.check(message, chain: identity.chain, now: now)
            let acknowledgement = TrustStoreAcknowledgement(
                fleet: fleet,
                deviceID: deviceID,
                version: version,
                sha256: Hex.text(SHA256.hash(data: message)),
                at: now
            )
            try await client.publish(
                topic: "muster/v1/devices/\(name)/truststore/ack",
                payload: acknowledgement.encoded(),
                qos: .atLeastOnce
            )
            return version
        }
    }

    /// Connects once, and lends the connection for as long as `body` runs.
    /// - Parameters:
    ///   - thread: Drives the connections of all devices that share it.
    ///   - body: Gets the topic that the device may write to and read from.
    func withSession<Value: Sendable>(
        _ deviceID: String,
        identity: OperationalIdentity,
        thread: MQTTThread,
        body: (_ client: MQTTClient, _ topic: String) async throws -> Value
    ) async throws -> Value {
        let name = name(of: deviceID)
        var configuration = try configuration(name, identity)
        configuration.thread = thread
        configuration.connectTimeout = Self.connectTimeout
        return try await MQTTClient.withClient(configuration: configuration, logger: logger) { client in
            try await body(client, "muster/v1/devices/\(name)/echo")
        }
    }

    // The broker makes the certificate's common name the username, and lets each device write below its own.
    private func name(of deviceID: String) -> String { "\(deviceID)@\(fleet)" }

    private func configuration(_ name: String, _ identity: OperationalIdentity) throws -> MQTTConfiguration {
        try MQTTConfiguration(
            host: endpoint.host,
            port: endpoint.port,
            clientID: name,
            tls: TLSMaterial(
                anchors: rootPEM,
                certificateChain: Array(identity.certificateChainPEM.utf8),
                privateKey: Array((identity.key.serializeAsPEM().pemString + "\n").utf8)
            )
        )
    }

    /// The retained trust store, which comes at once if there is one.
    private func trustStore(from client: MQTTClient, topic: String) async throws -> [UInt8] {
        try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            group.addTask {
                for await message in client.messages where message.topic == topic { return message.payload }
                return nil
            }
            group.addTask {
                try await Task.sleep(for: Self.trustStoreTimeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let message = try await group.next() ?? nil else {
                throw CheckFailure("no trust store on \(topic)")
            }
            return message
        }
    }
}
