import Foundation
import MQTT
import TestPeers
import Testing

@Suite(.timeLimit(.minutes(10)))
struct RefusalTests {
    @Test func `a publish that the access rules forbid is an error with the broker's reason (M-01, M-03)`() async throws
    {
        let broker = try await MosquittoBroker()
        let device = try await broker.configuration(broker.pki.client("d1@roof"), clientID: "d1@roof")
        try await MQTTClient.withClient(configuration: device, logger: quiet) { client in
            await #expect(throws: MQTTError.publishRefused(reasonCode: 0x87)) {
                try await client.publish(topic: fleetTopic, payload: [1], retain: true)
            }
            await #expect(throws: MQTTError.publishRefused(reasonCode: 0x87)) {
                try await client.publish(topic: "muster/v1/devices/d2@roof/truststore/ack", payload: [1])
            }
            try await client.publish(topic: "muster/v1/devices/d1@roof/truststore/ack", payload: [1])
        }
        try await broker.stop()
    }

    @Test func `what cannot be sent is refused before it is sent (M-02, M-07)`() async throws {
        let broker = try await MosquittoBroker()
        var configuration = try await broker.server()
        configuration.packetBytesMax = 4 << 20
        try await MQTTClient.withClient(configuration: configuration, logger: quiet) { client in
            await #expect(throws: MQTTError.emptyRetained) {
                try await client.publish(topic: fleetTopic, payload: [], retain: true)
            }
            await #expect(throws: MQTTError.badTopic("muster/v1/#")) {
                try await client.publish(topic: "muster/v1/#", payload: [1])
            }
            await #expect(throws: MQTTError.badTopic("muster/#/v1")) { try await client.subscribe(["muster/#/v1"]) }
            // The broker's own limit is 1 MiB, which it told at the connect.
            await #expect(throws: MQTTError.tooLarge(bytes: 2 << 20)) {
                try await client.publish(topic: fleetTopic, payload: [UInt8](repeating: 1, count: 2 << 20))
            }
            await #expect(throws: MQTTError.tooLarge(bytes: 5 << 20)) {
                try await client.publish(topic: fleetTopic, payload: [UInt8](repeating: 1, count: 5 << 20))
            }
            try await client.publish(topic: fleetTopic, payload: [1])
        }
        try await broker.stop()
    }

    @Test func `a broker of another CA, or of another name, is not spoken to`() async throws {
        let pki = try await TestPKI()
        let broker = try await MosquittoBroker(pki: pki, serverNames: ["DNS:elsewhere.example"])
        let credential = try await pki.client("muster-server")
        let misnamed = broker.configuration(credential, clientID: "a")
        let error = await #expect(throws: MQTTError.self) {
            try await MQTTClient.withClient(configuration: misnamed, logger: quiet) { _ in }
        }
        #expect(error?.description.contains("certificate verify failed") == true, "\(String(describing: error))")

        var stranger = misnamed
        stranger.tls = try await TLSMaterial(
            anchors: TestPKI(rootName: "Stranger").root,
            certificateChain: credential.certificate,
            privateKey: credential.key
        )
        let refused = await #expect(throws: MQTTError.self) {
            try await MQTTClient.withClient(configuration: stranger, logger: quiet) { _ in }
        }
        #expect(refused?.description.contains("certificate verify failed") == true, "\(String(describing: refused))")
        try await broker.stop()
    }

    @Test func `the host name localhost is verified by name`() async throws {
        let broker = try await MosquittoBroker(serverNames: ["DNS:localhost"])
        var configuration = try await broker.server()
        configuration.host = "localhost"
        try await MQTTClient.withClient(configuration: configuration, logger: quiet) { client in
            try await client.publish(topic: fleetTopic, payload: [1])
        }
        try await broker.stop()
    }

    @Test func `a client of a CA that the broker does not know is refused with TLS's words`() async throws {
        let broker = try await MosquittoBroker()
        let credential = try await TestPKI(rootName: "Stranger").client("muster-server")
        let error = await #expect(throws: MQTTError.self) {
            try await MQTTClient.withClient(
                configuration: broker.configuration(credential, clientID: "a"),
                logger: quiet
            ) { _ in }
        }
        guard case .tls? = error else { return #expect(Bool(false), "\(String(describing: error))") }
        try await broker.stop()
    }

    @Test func `material that cannot be used is named, and a key never shown`() async throws {
        let pki = try await TestPKI()
        let one = try await pki.client("one")
        let two = try await pki.client("two")
        func failure(_ tls: TLSMaterial) async -> String {
            let configuration = MQTTConfiguration(host: "127.0.0.1", port: 1, clientID: "a", tls: tls)
            let error = await #expect(throws: MQTTError.self) {
                try await MQTTClient.withClient(configuration: configuration, logger: quiet) { _ in }
            }
            return "\(error.map { "\($0)" } ?? "")"
        }
        #expect(
            await failure(TLSMaterial(anchors: [], certificateChain: one.certificate, privateKey: one.key))
                .contains("CA certificates")
        )
        #expect(
            await failure(TLSMaterial(anchors: pki.root, certificateChain: [1], privateKey: one.key))
                .contains("the client's certificate")
        )
        let mismatch = await failure(
            TLSMaterial(anchors: pki.root, certificateChain: one.certificate, privateKey: two.key)
        )
        #expect(mismatch.contains("private key"))
        #expect(
            !"\(TLSMaterial(anchors: pki.root, certificateChain: one.certificate, privateKey: two.key))".contains("KEY")
        )
    }

    @Test func `a broker that is away, or that never answers, is told in time`() async throws {
        let pki = try await TestPKI()
        let credential = try await pki.client("one")
        let tls = TLSMaterial(anchors: pki.root, certificateChain: credential.certificate, privateKey: credential.key)
        var configuration = MQTTConfiguration(host: "127.0.0.1", port: 1, clientID: "a", tls: tls)
        let away = await #expect(throws: MQTTError.self) {
            try await MQTTClient.withClient(configuration: configuration, logger: quiet) { _ in }
        }
        guard case .unreachable? = away else { return #expect(Bool(false), "\(String(describing: away))") }

        let mute = try MuteListener()
        configuration.port = mute.port
        configuration.connectTimeout = .milliseconds(500)
        await #expect(throws: MQTTError.timedOut) {
            try await MQTTClient.withClient(configuration: configuration, logger: quiet) { _ in }
        }
    }

    @Test func `a client whose identifier another takes by turns learns it (M-08)`() async throws {
        let broker = try await MosquittoBroker()
        let configuration = try await broker.server("same")
        try await withRunning(configuration) { client in
            try await withRunning(configuration) { _ in
                let seen = try await until(.oftenLost(count: 3), in: client.events)
                #expect(seen.count { $0 == .connected(sessionPresent: false) } >= 3)
            }
            try await within(.seconds(60)) { try await client.waitUntilConnected() }
        }
        try await broker.stop()
    }

    @Test func `a broker that says the session was taken over is understood (M-08)`() async throws {
        let pki = try await TestPKI()
        let server = try await pki.server()
        let client = try await pki.client("one")
        let mute = try MuteListener()
        let port = mute.port
        mute.stop()
        // MQTT 5 §3.2 CONNACK, then §3.14 DISCONNECT with 0x8E.
        let script: [UInt8] = [0x20, 0x03, 0x00, 0x00, 0x00, 0xE0, 0x01, 0x8E]
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                _ = try await Program.run(
                    "timeout",
                    [
                        "30", "openssl", "s_server", "-quiet", "-accept", "127.0.0.1:\(port)", "-naccept", "1",
                        "-cert", server.certificateFile, "-key", server.keyFile,
                    ],
                    input: script
                )
            }
            let tls = TLSMaterial(anchors: pki.root, certificateChain: client.certificate, privateKey: client.key)
            var configuration = MQTTConfiguration(host: "127.0.0.1", port: port, clientID: "one", tls: tls)
            configuration.pauseMin = .milliseconds(100)
            configuration.pauseMax = .milliseconds(200)
            let subject = MQTTClient(configuration: configuration, logger: quiet)
            group.addTask { await subject.run() }
            let seen = try await until(.sessionTakenOver, in: subject.events)
            #expect(seen.contains(.disconnected(.refused(reasonCode: 0x8E))))
            group.cancelAll()
        }
    }
}
