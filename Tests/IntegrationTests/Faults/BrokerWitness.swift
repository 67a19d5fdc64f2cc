import Foundation
import Glibc
import TestPeers

/// A `mosquitto_sub` that hears some topics from its start on, such as the trust stores of fleets. The broker keeps its
/// session, so that it hears also what was published while it was away.
final class BrokerWitness: Sendable {
    private static let endTopic = "muster/v1/fleets/faults/end"

    /// A `mosquitto_sub` ends with its connection: it comes back for what was kept.
    private static let again = "trap 'kill $!; exit 0' TERM; while :; do \"$@\" & wait $!; sleep 0.2; done"

    private let program: BackgroundProgram
    private let session: String
    private let state: String
    private let document: MusterDev.Document

    /// One of the trust stores of these fleets.
    convenience init(_ bed: FaultBed, fleets: [String]) async throws {
        let topics = fleets.map { "muster/v1/fleets/\($0)/truststore" }
        try await self.init(state: bed.state, document: bed.document, topics: topics)
    }

    /// Returns when the broker has granted its subscriptions. What the broker retained before counts for nothing.
    init(state: String, document: MusterDev.Document, topics: [String]) async throws {
        self.state = state
        self.document = document
        session = "witness-\(UInt32.random(in: 0 ... .max))"
        let pki = URL(fileURLWithPath: document.files.operatorCert).deletingLastPathComponent().path
        let topics = topics + [Self.endTopic]
        let program = try await BackgroundProgram(
            [
                "sh", "-c", Self.again, "witness", "stdbuf", "-oL", "mosquitto_sub", "-V", "5",
                "-h", document.mqtt.host, "-p", "\(document.mqtt.port)", "--cafile", document.files.root,
                "--cert", pki + "/muster-server.pem", "--key", pki + "/muster-server.key", "-c", "-i", session, "-x",
                "3600", "-q", "1", "-R", "-d", "-F",
                "payload %t %x",
            ] + topics.flatMap { ["-t", $0] }
        )
        self.program = program
        try await Eventually.holds("the subscription: \(program.log.suffix(500))") {
            program.log.contains("Subscribed (mid:")
        }
    }

    /// Waits until a broker that is killed would know the session at its next start.
    func isKept() async throws {
        try await Eventually.holds("the broker to save the session", seconds: 90) {
            try await Program.run("grep", ["-q", session, state + "/mosquitto/data/mosquitto.db"]).succeeded
        }
    }

    /// Waits until it has heard a message that is published now, and goes.
    func end() async throws {
        try await Eventually.holds("the witness to hear the end: \(program.log.suffix(500))", seconds: 120) {
            try await BrokerProbe(serverOf: document).publish(Self.endTopic, Array("end".utf8))
            return program.log.contains("payload \(Self.endTopic) ")
        }
        program.signal(SIGTERM)
        _ = try await program.end(withinSeconds: 10)
    }

    /// What came on a topic, in order.
    func texts(on topic: String) -> [String] {
        let start = "payload \(topic) "
        return program.log.split(separator: "\n").filter { $0.hasPrefix(start) }.map { line in
            let digits = Array(line.dropFirst(start.count).utf8)
            let octets = stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
            }
            return String(decoding: octets, as: UTF8.self)
        }
    }

    /// The versions of a fleet's trust store, as they came.
    func versions(of fleet: String) throws -> [Int] {
        let start = "payload muster/v1/fleets/\(fleet)/truststore "
        return program.log.split(separator: "\n").filter { $0.hasPrefix(start) }.map { line in
            // The content is one piece of the signed message: "version":N in hex.
            let key = "\"version\":".utf8.map { String($0, radix: 16) }.joined()
            let digits = line.dropFirst(start.count).firstRange(of: key).map { line[$0.upperBound...] } ?? ""
            var version = 0
            for pair in stride(from: 0, to: 20, by: 2) {
                let digit = digits.dropFirst(pair).prefix(2)
                guard digit.first == "3", let value = digit.last?.wholeNumberValue else { break }
                version = version * 10 + value
            }
            return version
        }
    }
}

extension FaultBed {
    /// Makes an open fleet that nobody enrolls in: its trust store has version 1.
    func makeFleet(_ name: String) async throws {
        let folder = try TemporaryDirectory(prefix: "mfleet")
        let text = """
            fleet: \(name)
            policy: open
            profile:
              organization: Example Works
              trustDomain: example.com
            anchors:
              - name: factory
                certificateFile: \(document.files.manufacturerCert)
                deviceID: subject-serial-number

            """
        try await muster("fleet", "apply", folder.write("fleet.yaml", text.utf8))
    }

    /// Waits until all that was to be published was.
    func outboxIsEmpty() async throws {
        try await Eventually.holds("the outbox to be empty", seconds: 120) {
            try await record.query("select count(*) from outbox where published_at is null") == "0"
        }
    }
}
