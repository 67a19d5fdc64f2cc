import Foundation
import TestPeers

/// `mosquitto_pub` and `mosquitto_sub` against the broker of `muster dev`, with somebody's certificate.
struct BrokerProbe: Sendable {
    private let common: [String]

    init(_ document: MusterDev.Document, certificateFile: String, keyFile: String) {
        common = [
            "-V", "5", "-h", document.mqtt.host, "-p", "\(document.mqtt.port)", "--cafile", document.files.root,
            "--cert", certificateFile, "--key", keyFile,
        ]
    }

    /// As the operator.
    init(operatorOf document: MusterDev.Document) {
        self.init(document, certificateFile: document.files.operatorCert, keyFile: document.files.operatorKey)
    }

    /// As the server itself, whose files lie beside the operator's.
    init(serverOf document: MusterDev.Document) {
        let folder = URL(fileURLWithPath: document.files.operatorCert).deletingLastPathComponent().path
        self.init(document, certificateFile: folder + "/muster-server.pem", keyFile: folder + "/muster-server.key")
    }

    /// As an enrolled device.
    init(_ device: SystemDevice) {
        self.init(device.document, certificateFile: device.chainFile, keyFile: device.keyFile)
    }

    /// Publishes at QoS 1 and returns when the broker has answered; a refusal shows in the error output.
    @discardableResult
    func publish(_ topic: String, _ payload: [UInt8], retain: Bool = false) async throws -> Program.Result {
        try await Program.run(
            "timeout",
            ["-s", "KILL", "60", "mosquitto_pub"] + common + ["-t", topic, "-q", "1", "-s"] + (retain ? ["-r"] : []),
            input: payload
        )
    }

    /// Waits for `count` messages and gives them in order; fewer if the time was over.
    /// - Parameters:
    ///   - session: A name under which the broker keeps the subscription and what comes meanwhile.
    ///   - whenSubscribed: Runs once the broker has granted the subscriptions.
    func messages(
        _ filters: [String],
        count: Int,
        seconds: Int = 60,
        session: String? = nil,
        whenSubscribed: (@Sendable () async throws -> Void)? = nil
    ) async throws -> [[UInt8]] {
        let trace = try TemporaryDirectory(prefix: "msubs")
        let file = trace.path + "/out"
        // Not -W: the alarm of mosquitto_sub 2.0.11 may hang. With -d it says on standard output when it is
        // subscribed, so payloads are in hex.
        let script = "exec timeout -s KILL \(seconds) stdbuf -oL mosquitto_sub \"$@\" >\"$0\" 2>&1"
        let kept = session.map { ["-c", "-i", $0, "-x", "3600"] } ?? []
        let topics = filters.flatMap { ["-t", $0] }
        let arguments = common + kept + topics + ["-q", "1", "-C", "\(count)", "-F", "payload %x", "-d"]
        func text() -> String { (try? String(contentsOfFile: file, encoding: .utf8)) ?? "" }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await Program.run("sh", ["-c", script, file] + arguments) }
            if let whenSubscribed {
                try await Eventually.holds("the subscription", seconds: seconds) { text().contains("Subscribed (mid:") }
                try await whenSubscribed()
            }
            try await group.waitForAll()
        }
        return text().split(separator: "\n").compactMap { line in
            line.hasPrefix("payload ") ? Self.bytes(hex: line.dropFirst("payload ".count)) : nil
        }
    }

    /// Leaves a subscription at the broker under that name.
    func subscribe(_ filter: String, session: String) async throws {
        _ = try await Program.run(
            "timeout",
            ["-s", "KILL", "60", "mosquitto_sub"] + common
                + ["-c", "-i", session, "-x", "3600", "-t", filter, "-q", "1", "-E"]
        )
    }

    private static func bytes(hex: Substring) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
        }
    }
}
