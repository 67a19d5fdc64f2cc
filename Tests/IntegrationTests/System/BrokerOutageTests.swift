import TestPeers
import Testing

extension SystemTests {
    /// The broker goes away and comes back under a running server.
    @Suite struct BrokerOutageTests {
        private static let topic = "muster/v1/fleets/demo/test"

        // M-03: an outbox row counts as sent after its PUBACK; a broker that was away gets all, in order.
        @Test func `what happened while the broker was away is published once it is back, once each and in order`()
            async throws
        {
            let dev = try MusterDev()
            let document = try await dev.start()
            let record = RecordProbe(document)
            let peers = LocalPeers(state: dev.state)
            let listener = BrokerProbe(serverOf: document)
            try await listener.subscribe(Self.topic, session: "witness")
            // What a killed broker has not saved is gone, and an event that it has acknowledged is not sent again.
            for name in ["witness", "fleets/demo/truststore"] {
                try await Eventually.holds("the broker to save \(name)", seconds: 90) {
                    try await Program.run("grep", ["-q", name, dev.state + "/mosquitto/data/mosquitto.db"]).succeeded
                }
            }

            try await peers.killBroker()
            try await record.query(
                """
                insert into outbox (fleet_id, topic, payload, retained)
                select id, '\(Self.topic)', convert_to(text, 'UTF8'), false
                from fleets, unnest(array['one', 'two']) with ordinality as events (text, place)
                where name = 'demo' order by place;
                select pg_notify('muster_outbox', '');
                """
            )
            // Enrollment does not need the broker.
            try await SystemDevice(document).enrolled()
            #expect(try await Self.waiting(record) == "2")

            try await peers.startBroker()
            try await Eventually.holds("both to be published", seconds: 120) { try await Self.waiting(record) == "0" }
            // Said after them: what comes before it is all there was.
            try await listener.publish(Self.topic, Array("end".utf8))
            let heard = try await listener.messages([Self.topic], count: 3, session: "witness")
            #expect(heard.map { String(decoding: $0, as: UTF8.self) } == ["one", "two", "end"])

            // The retained trust store is there again too, and acknowledgements are heard again.
            let device = try await SystemDevice(document).enrolled()
            #expect(try await BrokerProbe(device).messages(["muster/v1/fleets/demo/truststore"], count: 1).count == 1)
            try await Eventually.holds("an acknowledgement after the outage", seconds: 90) {
                try await BrokerProbe(device).publish(
                    "muster/v1/devices/\(device.username)/truststore/ack",
                    Array(#"{"type":"muster.truststore.ack.v1","version":1}"#.utf8)
                )
                let sql = "select trust_store_version from devices where device_id = '\(device.id)'"
                return try await record.query(sql) == "1"
            }
            try await dev.stop()
            #expect(try await dev.processes() == [])
        }

        @Test func `a broker that has lost all it held is given the trust store again`() async throws {
            let dev = try MusterDev()
            let document = try await dev.start()
            let device = try await SystemDevice(document).enrolled()
            let topic = "muster/v1/fleets/demo/truststore"
            let held = try await BrokerProbe(device).messages([topic], count: 1)
            #expect(held.count == 1)
            let peers = LocalPeers(state: dev.state)
            try await peers.killBroker()
            _ = try await Program.run("rm", ["-f", dev.state + "/mosquitto/data/mosquitto.db"])
            try await peers.startBroker()
            #expect(try await BrokerProbe(device).messages([topic], count: 1) == held)
            try await dev.stop()
        }

        private static func waiting(_ record: RecordProbe) async throws -> String {
            try await record.query("select count(*) from outbox where topic = '\(topic)' and published_at is null")
        }
    }
}
