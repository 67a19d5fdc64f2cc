import Agent
import Enrollment
import Foundation
import Logging
import MQTT
import PKI
import SwiftASN1
import X509

/// The fleet's broker, as the agent meets it: with a device's certificate.
final class AgentBroker: AgentAudience {
    /// How long the broker keeps what comes while the agent is away, in seconds.
    private static let sessionSeconds: UInt32 = 7 * 86_400
    /// Messages that wait to be read: as many devices may be revoked at once.
    private static let messagesMax = 1 << 16
    /// How soon it is back.
    private static let pauseMax: Duration = .seconds(5)
    /// Devices named in one message to the plugin, which has to fit into a packet.
    private static let namesMax = 200
    private static let control = "$CONTROL/dynamic-security/v1"
    private static let retryInterval: Duration = .seconds(1)

    private let client: MQTTClient
    private let names: DeviceNames
    private let logger: Logger

    init(_ settings: AgentConfiguration.Broker, fleet: FleetName, logger: Logger) throws {
        let certificate = try ServerMaterial.read(settings.certificateFile, key: "broker.certificateFile")
        names = try Self.names(certificate, file: settings.certificateFile, fleet: fleet)
        self.logger = logger
        var configuration = MQTTConfiguration(
            host: settings.host,
            port: settings.port,
            clientID: names.commonName,
            tls: TLSMaterial(
                anchors: try ServerMaterial.read(settings.caFile, key: "broker.caFile"),
                certificateChain: certificate,
                privateKey: try ServerMaterial.secret(settings.keyFile, key: "broker.keyFile")
            )
        )
        configuration.cleanStart = false
        configuration.sessionExpirySeconds = Self.sessionSeconds
        configuration.messagesMax = Self.messagesMax
        configuration.pauseMax = Self.pauseMax
        client = MQTTClient(configuration: configuration, logger: logger)
    }

    /// Who the certificate says we are: `<DeviceID>@<fleet>`.
    private static func names(_ pem: [UInt8], file: String, fleet: FleetName) throws -> DeviceNames {
        guard let first = try? PEMDocument.parseMultiple(pemString: String(decoding: pem, as: UTF8.self)).first,
            let certificate = try? Certificate(derEncoded: first.derBytes)
        else {
            throw AgentProblem("broker.certificateFile: \(file) has no certificate first")
        }
        let commonNames = certificate.subject.flatMap { part in
            part.filter { $0.type == .RDNAttributeType.commonName }.map { "\($0.value)" }
        }
        let parts = (commonNames.first ?? "").split(separator: "@", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let device = DeviceID(parts[0]), parts[1] == fleet.text else {
            throw AgentProblem(
                "broker.certificateFile: \(file) is not of a device of the fleet \(fleet); enroll the agent as one"
            )
        }
        return DeviceNames(device: device, fleet: fleet)
    }

    /// Stays connected and hands on what comes, until cancelled.
    /// - Parameter connected: Runs at each connection: what could not be told before can be now.
    func run(
        connected: @escaping @Sendable () async -> Void,
        trustStore: @Sendable (MQTTMessage) async -> Void,
        revocation: @Sendable (MQTTMessage) async -> Void
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [client] in await client.run() }
            group.addTask { [client] in
                for await event in client.events {
                    if case .connected = event { await connected() }
                }
            }
            let topics = [Topics.trustStore(names.fleet), Topics.revocations(names.fleet)]
            while !Task.isCancelled {
                do {
                    try await client.subscribe(topics, qos: .atLeastOnce)
                    break
                } catch {
                    logger.warning("not subscribed yet", metadata: ["reason": "\(error)"])
                    try? await Task.sleep(for: Self.retryInterval)
                }
            }
            for await message in client.messages {
                switch message.topic {
                case topics[0]: await trustStore(message)
                case topics[1]: await revocation(message)
                default: break
                }
            }
            group.cancelAll()
        }
    }

    func acknowledge(trustStore version: Int64, sha256: String) async throws {
        let acknowledgement = TrustStoreAcknowledgement(
            fleet: names.fleet,
            deviceID: names.device.text,
            version: version,
            sha256: sha256,
            at: Date()
        )
        try await client.publish(topic: Topics.trustStoreAcknowledgement(names), payload: acknowledgement.encoded())
    }

    func tell(_ status: AgentStatus) async throws {
        try await client.publish(
            topic: "muster/v1/devices/\(names.commonName)/agent/status",
            payload: status.encoded(),
            retain: true
        )
    }

    /// Mosquitto's plugin ends a client's session when the client is added to its list, and when it is removed from it. A
    /// client that is on no list is decided by the access rules again, so that nothing is left to undo.
    func endSessions(of clients: [String]) async throws {
        struct Command: Encodable {
            let command: String
            let username: String
        }
        for start in stride(from: 0, to: clients.count, by: Self.namesMax) {
            let commands = clients[start..<min(start + Self.namesMax, clients.count)].flatMap { name in
                [Command(command: "createClient", username: name), Command(command: "deleteClient", username: name)]
            }
            try await client.publish(
                topic: Self.control,
                payload: [UInt8](JSONEncoder().encode(["commands": commands]))
            )
        }
    }
}
