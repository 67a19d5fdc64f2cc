import Foundation
import TestPeers
import Testing

extension SystemTests {
    /// The signed trust store at the broker, as devices and strangers meet it.
    @Suite struct TrustStoreMessageTests {
        /// What the signed content says.
        struct Content: Decodable {
            struct Anchor: Decodable {
                let sha256: String
                let subject: String
                let notAfter: String
                let pem: String
            }

            let type: String
            let fleet: String
            let version: Int
            let issuedAt: String
            let expiresAt: String
            let previousSHA256: String?
            let anchors: [Anchor]
            let crls: [String]
        }

        private static let topic = "muster/v1/fleets/demo/truststore"

        // M-02: a new subscriber gets the retained message. RFC 5652: OpenSSL verifies it with the root alone.
        @Test func `openssl accepts the retained message with the root alone, and its anchors are what they say`()
            async throws
        {
            let (_, document) = try await MusterDev.shared.running()
            let message = try await Self.message(BrokerProbe(operatorOf: document))
            let verified = try await Self.verify(message, document)
            try #require(verified.succeeded, "\(verified.errorOutput)")
            let content = try JSONDecoder().decode(Content.self, from: Data(verified.output))
            #expect(content.type == "muster.truststore.v1")
            #expect(content.fleet == "demo")
            #expect(content.version == 1)
            #expect(content.previousSHA256 == nil)
            #expect(content.issuedAt < content.expiresAt)
            #expect(content.anchors.count >= 1)
            let folder = try TemporaryDirectory(prefix: "manchors")
            for anchor in content.anchors {
                let file = try folder.write("anchor.pem", anchor.pem.utf8)
                let digest = try await Shell.run("openssl x509 -in \"$1\" -outform DER | sha256sum | cut -c -64", file)
                #expect(anchor.sha256.lowercased().replacing(":", with: "") == digest)
                #expect(anchor.notAfter > content.issuedAt)
                #expect(!anchor.subject.isEmpty)
            }
        }

        @Test func `a bit changed in the content or in the signature is refused`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let message = try await Self.message(BrokerProbe(operatorOf: document))
            let needle = Array("muster.truststore.v1".utf8)
            let start = try #require(
                message.indices.first { message[$0...].starts(with: needle) },
                "the content is not in the message"
            )
            var content = message
            content[start] ^= 1
            #expect(try await !Self.verify(content, document).succeeded)
            // The signature is the last field of a SignerInfo without unsigned attributes (RFC 5652 section 5.3).
            var signature = message
            signature[message.count - 1] ^= 1
            #expect(try await !Self.verify(signature, document).succeeded)
            #expect(try await Self.verify(message, document).succeeded)
        }

        @Test func `an enrolled device hears the trust store and cannot replace it`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let device = try await SystemDevice(document).enrolled()
            let before = try await Self.message(BrokerProbe(device))
            let refusal = try await BrokerProbe(device).publish(Self.topic, Array("forged".utf8), retain: true)
            // MQTT 5 section 3.4.2.1: reason 0x87, not authorized.
            #expect((refusal.errorOutput + refusal.text).contains("ot authorized"), "\(refusal.errorOutput)")
            #expect(try await Self.message(BrokerProbe(device)) == before)
        }

        @Test func `a device without an operational certificate cannot connect`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let device = try await SystemDevice(document)
            let bootstrap = BrokerProbe(
                document,
                certificateFile: device.idevidFile,
                keyFile: device.idevidKeyFile
            )
            #expect(try await !bootstrap.publish("muster/v1/devices/\(device.username)/hello", [1]).succeeded)
        }

        @Test func `a device neither hears nor writes another device's topics`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let one = try await SystemDevice(document).enrolled()
            let other = try await SystemDevice(document).enrolled()
            let oneTopic = "muster/v1/devices/\(one.username)/status"
            let otherTopic = "muster/v1/devices/\(other.username)/status"

            let refusal = try await BrokerProbe(one).publish(otherTopic, Array("forged".utf8))
            #expect((refusal.errorOutput + refusal.text).contains("ot authorized"), "\(refusal.errorOutput)")
            // Both ask for each other's; each hears its own alone, though the other's was said before it.
            let heard = try await BrokerProbe(one).messages([otherTopic, "muster/v1/devices/#", oneTopic], count: 1) {
                try await BrokerProbe(other).publish(otherTopic, Array("other".utf8))
                try await BrokerProbe(one).publish(oneTopic, Array("own".utf8))
            }
            #expect(heard.map { String(decoding: $0, as: UTF8.self) } == ["own"])
        }

        @Test func `a device's acknowledgement reaches the record`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let device = try await SystemDevice(document).enrolled()
            let record = RecordProbe(document)
            let acknowledged = "select trust_store_version from devices where device_id = '\(device.id)'"
            #expect(try await record.query(acknowledged) == "")
            let sent = try await BrokerProbe(device).publish(
                "muster/v1/devices/\(device.username)/truststore/ack",
                Array(#"{"type":"muster.truststore.ack.v1","version":1}"#.utf8)
            )
            #expect(sent.succeeded, "\(sent.errorOutput)")
            try await Eventually.holds("the acknowledgement") { try await record.query(acknowledged) == "1" }
        }

        @Test(arguments: [
            "", "{}", "not json", #"{"type":"muster.truststore.ack.v1","version":-1}"#,
            #"{"type":"muster.truststore.ack.v1","version":999}"#, #"{"type":"other","version":1}"#,
        ])
        func `what is no acknowledgement changes nothing, and the next one counts`(payload: String) async throws {
            let (_, document) = try await MusterDev.shared.running()
            let device = try await SystemDevice(document).enrolled()
            let record = RecordProbe(document)
            let topic = "muster/v1/devices/\(device.username)/truststore/ack"
            let acknowledged = "select trust_store_version from devices where device_id = '\(device.id)'"
            try await BrokerProbe(device).publish(topic, Array(payload.utf8))
            try await BrokerProbe(device)
                .publish(topic, Array(#"{"type":"muster.truststore.ack.v1","version":1}"#.utf8))
            // They are taken in order: what the first did would stand here, or be gone for good.
            try await Eventually.holds("the acknowledgement") { try await record.query(acknowledged) != "" }
            #expect(try await record.query(acknowledged) == "1")
        }

        private static func message(_ broker: BrokerProbe) async throws -> [UInt8] {
            try #require(try await broker.messages([topic], count: 1).first, "no retained trust store")
        }

        /// Verifies by openssl; the output is the content.
        private static func verify(_ message: [UInt8], _ document: MusterDev.Document) async throws -> Program.Result {
            let folder = try TemporaryDirectory(prefix: "mcms")
            let file = try folder.write("message.der", message)
            return try await Program.run(
                "openssl",
                ["cms", "-verify", "-inform", "DER", "-purpose", "any", "-CAfile", document.files.root, "-in", file]
            )
        }
    }
}
