import Foundation

/// `mosquitto_pub` and `mosquitto_sub` with a client certificate.
package struct MosquittoClients: Sendable {
    package let port: Int
    package let anchorsFile: String
    package let credential: TestPKI.Credential

    package init(port: Int, anchorsFile: String, credential: TestPKI.Credential) {
        self.port = port
        self.anchorsFile = anchorsFile
        self.credential = credential
    }

    /// Publishes at QoS 1 and returns when the broker has answered.
    /// - Returns: How the program ended; over MQTT 5 a refusal shows in its error output.
    @discardableResult
    package func publish(
        _ topic: String,
        _ payload: [UInt8],
        retain: Bool = false,
        identifier: String? = nil
    ) async throws -> Program.Result {
        var arguments = common(identifier) + ["-t", topic, "-q", "1", "-s"]
        if retain { arguments.append("-r") }
        return try await Program.run("mosquitto_pub", arguments, input: payload)
    }

    /// Subscribes at QoS 1 and waits for `count` messages, at most so long.
    /// - Parameter whenSubscribed: Runs once the broker has granted the subscription.
    /// - Returns: The payloads that came, in order; fewer than `count` if the time was over.
    package func messages(
        _ filter: String,
        count: Int,
        waitSeconds: Int = 60,
        identifier: String? = nil,
        whenSubscribed: (@Sendable () async throws -> Void)? = nil
    ) async throws -> [[UInt8]] {
        let trace = try TemporaryDirectory(prefix: "msub")
        // -d prints "Subscribed (mid: 1): 1" on standard output, where payloads go too: those are in hex.
        // Not -W: in 2.0.11 its alarm's handler takes locks that the interrupted code may hold, and hangs.
        let script = "exec timeout -s KILL \(waitSeconds) stdbuf -oL mosquitto_sub \"$@\" > \(trace.path)/out 2>&1"
        let arguments =
            ["-c", script, "mosquitto_sub"] + common(identifier)
            + ["-t", filter, "-q", "1", "-C", "\(count)", "-F", "payload %x", "-d"]
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await Program.run("sh", arguments) }
            if let whenSubscribed {
                try await waitUntilSubscribed(trace, seconds: waitSeconds)
                try await whenSubscribed()
            }
            try await group.waitForAll()
        }
        return try text(trace).split(separator: "\n").compactMap { line in
            guard line.hasPrefix("payload ") else { return nil }
            return Self.bytes(hex: line.dropFirst("payload ".count))
        }
    }

    private func waitUntilSubscribed(_ trace: TemporaryDirectory, seconds: Int) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try !text(trace).contains("Subscribed (mid:"), ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func text(_ folder: TemporaryDirectory) throws -> String {
        guard FileManager.default.fileExists(atPath: folder.path + "/out") else { return "" }
        return String(decoding: try folder.read("out"), as: UTF8.self)
    }

    private func common(_ identifier: String?) -> [String] {
        let identity = identifier.map { ["-i", $0] } ?? []
        return identity + [
            "-h", MosquittoBroker.host, "-p", "\(port)", "-V", "mqttv5", "--cafile", anchorsFile,
            "--cert", credential.certificateFile, "--key", credential.keyFile,
        ]
    }

    private static func bytes(hex: Substring) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(decoding: digits[$0...$0 + 1], as: UTF8.self), radix: 16)
        }
    }
}
