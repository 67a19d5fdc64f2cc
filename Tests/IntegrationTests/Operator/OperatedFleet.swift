import Foundation
import TestPeers
import Testing

/// A fleet of a test's own on the shared server, described and driven by the command line as its operator does it, with
/// devices by openssl and curl.
struct OperatedFleet: Sendable {
    let name: String
    let bench: Workbench

    /// Describes and applies a fleet that accepts the development manufacturer and claim CA.
    /// - Parameters:
    ///   - factory: Further lines of the manufacturer's anchor, such as `keyChange: approve`.
    ///   - claim: Further lines of the claim CA's anchor.
    init(policy: String, factory: [String] = [], claim: [String] = []) async throws {
        bench = try await Workbench("dev")
        name = "t\(UInt32.random(in: 0 ... .max))"
        try await apply(policy: policy, factory: factory, claim: claim)
    }

    /// Brings the fleet to another description.
    func apply(policy: String, factory: [String] = [], claim: [String] = []) async throws {
        func lines(_ lines: [String]) -> String { lines.map { "    \($0)\n" }.joined() }
        let pki = URL(fileURLWithPath: bench.document.files.root).deletingLastPathComponent().path
        let text = """
            fleet: \(name)
            policy: \(policy)
            approvalRetry: 1s
            profile:
              organization: Example Works
              trustDomain: example.com
            anchors:
              - name: factory
                certificateFile: \(bench.document.files.manufacturerCert)
                deviceID: subject-serial-number
            \(lines(factory))  - name: batch
                certificateFile: \(pki)/claim-ca.pem
                deviceID: request-common-name
            \(lines(claim))
            """
        try bench.write("fleet.yaml", text.utf8)
        try await muster("fleet", "apply", bench.path("fleet.yaml"))
    }

    /// Runs a command of the operator against the shared server; one that fails fails the test.
    /// - Returns: Standard output.
    @discardableResult
    func muster(_ arguments: String...) async throws -> String {
        let result = try await command(arguments)
        guard result.succeeded else {
            throw BadEnd(
                program: "muster \(arguments.joined(separator: " "))",
                errorOutput: result.errorOutput + result.text.suffix(2_000)
            )
        }
        return result.text
    }

    /// The same, however it ends.
    func command(_ arguments: [String]) async throws -> Program.Result {
        try await Program.run(
            MusterDev.executable("muster"),
            arguments,
            environment: ["MUSTER_CLIENT_DEV": devFile, "NO_COLOR": "1"]
        )
    }

    /// Runs a line that an explanation gave, in a shell, as an operator would paste it.
    @discardableResult
    func paste(_ line: String) async throws -> String {
        let folder = URL(fileURLWithPath: try MusterDev.executable("muster")).deletingLastPathComponent().path
        let result = try await Program.run(
            "bash",
            ["-euo", "pipefail", "-c", "PATH=\"$1:$PATH\"; eval \"$2\"", "paste", folder, line],
            environment: ["MUSTER_CLIENT_DEV": devFile, "NO_COLOR": "1"]
        )
        guard result.succeeded else { throw BadEnd(program: line, errorOutput: result.errorOutput + result.text) }
        return result.text
    }

    /// Where everything of the shared server is.
    var devFile: String {
        let pki = URL(fileURLWithPath: bench.document.files.root).deletingLastPathComponent()
        return pki.deletingLastPathComponent().path + "/dev.json"
    }

    // MARK: Devices

    /// Makes an IDevID `DEVICE` (its serial number) and an operational key with its request, under the same name.
    func makeDevice(_ device: String) async throws {
        try await bench.sh(
            "idevid \"$1\" \"/O=Example Devices/serialNumber=$1\"; key \"$1-op\" P-256; request \"$1-op\" \"/serialNumber=$1\"",
            device
        )
    }

    /// Makes a claim certificate under the development claim CA.
    func makeClaim(_ claim: String) async throws {
        try await bench.sh("credential \"$1\" \"$PKI/claim-ca.pem\" \"$PKI/claim-ca.key\" \"/CN=$1\"", claim)
    }

    /// Makes an operational key and a request that names the device, for a claim.
    func makeClaimant(_ device: String) async throws {
        try await bench.sh("key \"$1-op\" P-256; request \"$1-op\" \"/CN=$1\"", device)
    }

    /// A first boot: the device's request with a bootstrap credential, its own IDevID if none is named.
    func enroll(_ device: String, as credential: String? = nil) async throws -> Workbench.Answer {
        try await bench.curl(
            "/.well-known/est/\(name)/simpleenroll",
            as: credential ?? device,
            ["-H", "Content-Type: application/pkcs10", "--data-binary", "@" + bench.path("\(device)-op.b64")]
        )
    }

    /// SHA-256 of a credential's certificate.
    func fingerprint(_ credential: String) async throws -> String {
        try await bench.sh("openssl x509 -in \"$1.pem\" -outform DER | sha256sum | cut -d' ' -f1", credential)
    }

    /// SHA-256 of a device's operational public key.
    func keyFingerprint(_ device: String) async throws -> String {
        try await bench.sh("openssl pkey -in \"$1-op.key\" -pubout -outform DER | sha256sum | cut -d' ' -f1", device)
    }

    /// The words on an attempt, by the id that the answer carried.
    func explanation(of answer: Workbench.Answer) async throws -> String {
        try await muster("attempt", "show", try #require(answer.headers["request-id"]))
    }

    /// The command that an explanation names.
    func remedy(of answer: Workbench.Answer) async throws -> String {
        let lines = try await explanation(of: answer).split(separator: "\n").map(\.trimmingBlanks)
        return try #require(lines.first { $0.hasPrefix("muster ") || $0.hasPrefix("$ muster ") }).dropPrompt
    }
}

extension Substring {
    fileprivate var trimmingBlanks: String { String(self).trimmingBlanks }
}

extension String {
    fileprivate var dropPrompt: String { hasPrefix("$ ") ? String(dropFirst(2)) : self }
}
