import Foundation
import Glibc
import TestPeers

/// A `mosquitto_sub` that hears the trust stores of some fleets from its start on. The broker keeps its session, so that
/// it hears also what was published while it was away.
final class BrokerWitness: Sendable {
    private static let endTopic = "muster/v1/fleets/faults/end"

    /// A `mosquitto_sub` ends with its connection: it comes back for what was kept.
    private static let again = "trap 'kill $!; exit 0' TERM; while :; do \"$@\" & wait $!; sleep 0.2; done"

    private let program: BackgroundProgram
    private let session: String
    private let bed: FaultBed

    /// Returns when the broker has granted its subscriptions. What the broker retained before counts for nothing.
    init(_ bed: FaultBed, fleets: [String]) async throws {
        self.bed = bed
        session = "witness-\(UInt32.random(in: 0 ... .max))"
        let pki = URL(fileURLWithPath: bed.document.files.operatorCert).deletingLastPathComponent().path
        let topics = fleets.map { "muster/v1/fleets/\($0)/truststore" } + [Self.endTopic]
        let program = try await BackgroundProgram(
            [
                "sh", "-c", Self.again, "witness", "stdbuf", "-oL", "mosquitto_sub", "-V", "5",
                "-h", bed.document.mqtt.host, "-p", "\(bed.document.mqtt.port)", "--cafile", bed.document.files.root,
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
            try await Program.run("grep", ["-q", session, bed.state + "/mosquitto/data/mosquitto.db"]).succeeded
        }
    }

    /// Waits until it has heard a message that is published now, and goes.
    func end() async throws {
        try await Eventually.holds("the witness to hear the end: \(program.log.suffix(500))", seconds: 120) {
            try await BrokerProbe(serverOf: bed.document).publish(Self.endTopic, Array("end".utf8))
            return program.log.contains("payload \(Self.endTopic) ")
        }
        program.signal(SIGTERM)
        _ = try await program.end(withinSeconds: 10)
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
