import Foundation
import Glibc
import TestPeers
import Testing

/// A receiver, and servers that tell it, on the shared record.
struct WebhookBed: Sendable {
    /// One request that the receiver saw.
    struct Seen: Sendable {
        let status: String
        let verdict: String
        let message: String
        let type: String
        let data: [String: String]
    }

    let dev: MusterDev
    let document: MusterDev.Document
    /// Of its own for each test.
    let webhook: String
    private let folder: TemporaryDirectory
    private let receiver: BackgroundProgram
    private let scheme: String

    /// - Parameter hasTLS: With the certificate of the development servers, for localhost.
    init(hasTLS: Bool = false) async throws {
        (dev, document) = try await MusterDev.shared.running()
        webhook = "t\(UInt32.random(in: 0 ... .max))"
        folder = try TemporaryDirectory(prefix: "mhook")
        scheme = hasTLS ? "https" : "http"
        try folder.write("webhooks.py", WebhookReceiverScript.text.utf8)
        try await Self.renewSecret(in: folder)
        let pki = URL(fileURLWithPath: document.files.root).deletingLastPathComponent().path
        let identity = hasTLS ? [pki + "/est.pem", pki + "/est.key"] : []
        receiver = try await BackgroundProgram(["python3", folder.path + "/webhooks.py", folder.path] + identity)
        let (program, port) = (receiver, folder.path + "/port")
        try await Eventually.holds("the receiver's port: \(program.log)") {
            FileManager.default.fileExists(atPath: port)
        }
    }

    /// Gives the receiver a secret, which servers find in their file.
    func renewSecret() async throws { try await Self.renewSecret(in: folder) }

    private static func renewSecret(in folder: TemporaryDirectory) async throws {
        try await Shell.run("cd \"$1\"; (umask 077; echo \"whsec_$(openssl rand -base64 32)\" > secret)", folder.path)
    }

    /// Has something else be in the place of the secret while `body` runs.
    func withSecret(_ text: String, _ body: () async throws -> Void) async throws {
        let kept = try folder.read("secret")
        try folder.write("secret", text.utf8)
        try await body()
        try folder.write("secret", kept)
    }

    /// What the receiver answers from now on.
    func answer(_ status: String, first: [String] = []) throws {
        try folder.write("first", first.joined(separator: "\n").utf8)
        try folder.write("answer", status.utf8)
    }

    var seen: [Seen] {
        get throws {
            guard let lines = try? String(contentsOfFile: folder.path + "/seen", encoding: .utf8) else { return [] }
            return try lines.split(separator: "\n").map { line in
                let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
                try #require(parts.count == 4)
                let body = try JSONSerialization.jsonObject(with: Data(parts[3].utf8)) as? [String: Any]
                return Seen(
                    status: parts[0],
                    verdict: parts[1],
                    message: parts[2],
                    type: body?["type"] as? String ?? "",
                    data: body?["data"] as? [String: String] ?? [:]
                )
            }
        }
    }

    /// What the receiver took.
    var taken: [Seen] { get throws { try seen.filter { $0.status.hasPrefix("2") } } }

    /// Options of the configuration that name the webhook.
    func options(_ more: [String: String] = [:]) throws -> [String] {
        try keys(more).flatMap { ["--set", "webhooks.0.\($0.key)=\($0.value)"] }
    }

    /// The file of a configuration that SIGHUP reads anew, with the webhook in it.
    /// - Parameter more: Nil for one without.
    @discardableResult
    func configure(_ more: [String: String]?) throws -> String {
        var text = try String(contentsOfFile: dev.state + "/muster.yaml", encoding: .utf8)
        if let more {
            let lines = try keys(more).map { "\($0.key): \($0.value)" }
            text += "\nwebhooks:\n  - \(lines.joined(separator: "\n    "))\n"
        }
        let file = "\(dev.state)/\(webhook).yaml"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }

    private func keys(_ more: [String: String]) throws -> [(key: String, value: String)] {
        let port = try String(contentsOfFile: folder.path + "/port", encoding: .utf8)
        var keys = [
            "name": webhook, "url": "\(scheme)://localhost:\(port)/hooks/muster", "secretFile": folder.path + "/secret",
        ]
        if scheme == "https" { keys["caFile"] = document.files.root }
        keys.merge(more) { $1 }
        return keys.sorted { $0.key < $1.key }
    }

    func server(_ more: [String: String] = [:]) async throws -> SystemTests.ServeTests.Replica {
        try await SystemTests.ServeTests.Replica(config: dev.state + "/muster.yaml", options: try options(more))
    }

    /// A server that reads a file of `configure`.
    func server(configuration file: String) async throws -> SystemTests.ServeTests.Replica {
        try await SystemTests.ServeTests.Replica(config: file)
    }

    /// Has a server read its configuration again, and waits for what it says of that.
    func reload(_ server: SystemTests.ServeTests.Replica, logs message: String = "reloaded") async throws {
        func count() -> Int { server.program.log.split(separator: "\"message\":\"\(message)\"").count }
        let before = count()
        server.program.signal(SIGHUP)
        try await Eventually.holds(message) { count() > before }
    }

    /// Runs `muster webhook …` on the server's machine.
    func command(_ arguments: String..., named more: [String: String] = [:]) async throws -> Program.Result {
        try await Program.run(
            MusterDev.executable("muster"),
            ["webhook"] + arguments + ["--config", dev.state + "/muster.yaml"] + options(more)
        )
    }

    /// Runs an operator's command against one server.
    func operate(_ server: SystemTests.ServeTests.Replica, _ arguments: String...) async throws {
        let port = try #require(server.program.log.firstMatch(of: /"message":"serving".*"operator":"(\d+)"/)?.1)
        let result = try await Program.run(
            MusterDev.executable("muster"),
            arguments,
            environment: [
                "MUSTER_CLIENT_URL": "https://localhost:\(port)", "MUSTER_CLIENT_CA_FILE": document.files.root,
                "MUSTER_CLIENT_CERTIFICATE_FILE": document.files.operatorCert,
                "MUSTER_CLIENT_KEY_FILE": document.files.operatorKey, "NO_COLOR": "1",
            ]
        )
        guard result.succeeded else { throw BadEnd(program: "muster", errorOutput: result.errorOutput) }
    }

    /// A sample of a server's metrics that has all of `labels`.
    func metric(_ server: SystemTests.ServeTests.Replica, _ name: String, _ labels: String...) async throws -> Double? {
        let port = try #require(server.program.log.firstMatch(of: /"message":"serving".*"metrics":"(\d+)"/)?.1)
        let text = try await Shell.run("curl -sS \"http://127.0.0.1:$1/metrics\"", String(port))
        let line = text.split(separator: "\n").first { line in
            line.hasPrefix(name + "{") && labels.allSatisfy { line.contains($0) }
        }
        return line.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
    }

    func waiting() async throws -> String {
        try await RecordProbe(document).query(
            "select count(*) from webhook_events where webhook = '\(webhook)' and given_up_at is null"
        )
    }
}
