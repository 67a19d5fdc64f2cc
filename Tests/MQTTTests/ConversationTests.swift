import MQTT
import TestPeers
import Testing

@Suite(.timeLimit(.minutes(10)))
struct ConversationTests {
    @Test func `a publish at QoS 1 returns acknowledged, and mosquitto_sub has it (M-03)`() async throws {
        let broker = try await MosquittoBroker()
        let peer = try await broker.clients(broker.pki.client("d1@roof"))
        try await withRunning(broker.server()) { client in
            let heard = try await peer.messages(fleetTopic, count: 2) {
                try await client.publish(topic: fleetTopic, payload: Array("v1".utf8))
                try await client.publish(topic: fleetTopic, payload: Array("v2".utf8), qos: .atMostOnce)
            }
            #expect(heard == [Array("v1".utf8), Array("v2".utf8)])
        }
        try await broker.stop()
    }

    @Test func `a retained message reaches a late subscriber, marked as retained (M-02)`() async throws {
        let broker = try await MosquittoBroker()
        let device = try await broker.configuration(broker.pki.client("d1@roof"), clientID: "d1@roof")
        let payload = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        try await MQTTClient.withClient(configuration: broker.server(), logger: quiet) { client in
            try await client.publish(topic: fleetTopic, payload: payload, retain: true)
        }
        let heard = try await MQTTClient.withClient(configuration: device, logger: quiet) { client in
            try await client.subscribe([fleetTopic])
            return try await next(1, of: client.messages)
        }
        #expect(heard == [MQTTMessage(topic: fleetTopic, payload: payload, isRetained: true)])
        try await broker.stop()
    }

    @Test func `what mosquitto_pub sends comes by a shared subscription`() async throws {
        let broker = try await MosquittoBroker()
        let peer = try await broker.clients(broker.pki.client("d1@roof"))
        try await withRunning(broker.server()) { client in
            try await client.subscribe(["$share/muster/muster/v1/devices/+/truststore/ack"])
            try await peer.publish("muster/v1/devices/d1@roof/truststore/ack", Array("ok".utf8))
            let heard = try await next(1, of: client.messages)
            #expect(heard.first?.topic == "muster/v1/devices/d1@roof/truststore/ack")
            #expect(heard.first?.payload == Array("ok".utf8))
            #expect(heard.first?.isRetained == false)
        }
        try await broker.stop()
    }

    @Test func `after the broker was killed and started again the client is back, with its subscription`() async throws
    {
        let broker = try await MosquittoBroker()
        let peer = try await broker.clients(broker.pki.client("d1@roof"))
        try await withRunning(broker.server()) { client in
            try await client.subscribe(["muster/v1/devices/#"])
            await broker.kill()
            let lost = try await next(2, of: client.events)
            #expect(lost.first == .connected(sessionPresent: false))
            await #expect(throws: MQTTError.notConnected) { try await client.publish(topic: fleetTopic, payload: [1]) }
            try await broker.start()
            try await within(.seconds(60)) { try await client.waitUntilConnected() }
            try await client.publish(topic: fleetTopic, payload: [2])
            try await peer.publish("muster/v1/devices/d1@roof/x", Array("again".utf8))
            #expect(try await next(1, of: client.messages).first?.payload == Array("again".utf8))
        }
        try await broker.stop()
    }

    @Test func `a kept session brings what was missed (M-04)`() async throws {
        let broker = try await MosquittoBroker()
        var device = try await broker.configuration(broker.pki.client("d1@roof"), clientID: "d1@roof")
        device.cleanStart = false
        device.sessionExpirySeconds = 600
        try await MQTTClient.withClient(configuration: device, logger: quiet) { client in
            try await client.subscribe([fleetTopic])
        }
        try await MQTTClient.withClient(configuration: broker.server(), logger: quiet) { client in
            try await client.publish(topic: fleetTopic, payload: Array("missed".utf8))
        }
        let heard = try await MQTTClient.withClient(configuration: device, logger: quiet) { client in
            try await next(1, of: client.messages)
        }
        #expect(heard.first?.payload == Array("missed".utf8))
        try await broker.stop()
    }

    @Test func `a hundred publishes at once are all acknowledged, and come in order`() async throws {
        let broker = try await MosquittoBroker()
        try await withRunning(broker.server()) { client in
            try await client.subscribe(["muster/v1/count"])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask { try await client.publish(topic: "muster/v1/count", payload: [UInt8(number)]) }
                }
                try await group.waitForAll()
            }
            let heard = try await next(100, of: client.messages)
            #expect(Set(heard.flatMap(\.payload)) == Set(0..<100))
        }
        try await broker.stop()
    }

    @Test func `messages that nobody reads are dropped oldest first, and counted`() async throws {
        let broker = try await MosquittoBroker()
        var configuration = try await broker.server()
        configuration.messagesMax = 3
        try await withRunning(configuration) { client in
            try await client.subscribe(["muster/v1/count"])
            for number in 0..<10 {
                try await client.publish(topic: "muster/v1/count", payload: [UInt8(number)])
            }
            try await within(.seconds(60)) {
                while client.droppedMessageCount < 7 { try await Task.sleep(for: .milliseconds(10)) }
            }
            #expect(try await next(3, of: client.messages).map(\.payload) == [[7], [8], [9]])
        }
        try await broker.stop()
    }
}
