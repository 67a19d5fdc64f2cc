import Foundation
import TestPeers
import Testing

/// `muster agent` beside a program that terminates TLS, with the development server and a root that signs a CRL by hand.
struct AgentBed: Sendable {
    let document: MusterDev.Document
    let folder: TemporaryDirectory

    /// The agent's output.
    var output: String { folder.path + "/out" }
    var configuration: String { folder.path + "/agent.yaml" }
    /// The folder of the development PKI.
    var pki: String { URL(fileURLWithPath: document.files.root).deletingLastPathComponent().path }

    /// - Parameter own: A development server of the test's own; the shared one if nil.
    init(_ own: MusterDev.Document? = nil) async throws {
        if let own { document = own } else { document = try await MusterDev.shared.running().document }
        folder = try TemporaryDirectory(prefix: "magent")
        // The terminators' users must be able to pass.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        try await signRootList()
    }

    /// The list of the root, by the openssl program as ops/README.md says.
    func signRootList() async throws {
        try await Shell.run(
            """
            cd "$1"
            [ -f root-index.txt ] || { : > root-index.txt; echo 01 > root-crlnumber; }
            cat > root-crl.cnf <<END
            [ca]
            default_ca = root
            [root]
            database = root-index.txt
            crlnumber = root-crlnumber
            default_md = sha256
            default_crl_days = 365
            crl_extensions = extensions
            [extensions]
            authorityKeyIdentifier = keyid
            END
            openssl ca -gencrl -config root-crl.cnf -cert "$2/root.pem" -keyfile "$2/root.key" -out root-crl.pem 2>/dev/null
            """,
            folder.path,
            pki
        )
    }

    /// Writes the agent's configuration.
    /// - Parameter sections: YAML of what differs from test to test.
    func configure(_ sections: String, pollSeconds: Int = 1, crlFiles: String = "[root-crl.pem]") throws {
        try folder.write(
            "agent.yaml",
            """
            fleet: \(document.fleet)
            anchorFile: \(document.files.root)
            output: out
            public:
              url: \(document.urls.public)
              pollSeconds: \(pollSeconds)
            crlFiles: \(crlFiles)
            \(sections)
            """.utf8
        )
    }

    /// Brings the files up to date once, for the terminator's start.
    func prepare() async throws {
        let result = try await Shell.muster("agent", "--config", configuration, "--once")
        try #require(result.succeeded, "\(result.errorOutput)")
    }

    func startAgent() async throws -> BackgroundProgram {
        try await BackgroundProgram([MusterDev.executable("muster"), "agent", "--config", configuration])
    }

    /// What the agent says of itself.
    struct Status: Decodable {
        struct Fault: Decodable {
            let about: String
            let reason: String
        }
        struct TrustStore: Decodable { let version: Int64 }
        struct List: Decodable {
            let number: Int64
            let entries: Int
        }
        let trustStore: TrustStore?
        let lists: [List]
        let reloads: Int
        let faults: [Fault]
    }

    func status() throws -> Status {
        try JSONDecoder().decode(Status.self, from: Data(contentsOf: URL(fileURLWithPath: output + "/status.json")))
    }

    /// Writes a ready configuration of `ops` with this test's places in the place of its own.
    func adapt(_ file: String, as name: String, _ places: [String: String]) throws {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../../ops/\(file)"
        )
        var text = try String(contentsOf: source, encoding: .utf8)
        for (theirs, ours) in places.sorted(by: { $0.key.count > $1.key.count }) {
            try #require(text.contains(theirs), "\(file) has no \(theirs)")
            text = text.replacing(theirs, with: ours)
        }
        try folder.write(name, text.utf8)
    }

    /// Asks a gateway once, on a connection of its own.
    /// - Returns: The status; `000` where TLS or the connection failed.
    func ask(_ url: String, as device: SystemDevice) async throws -> String {
        try await Program.run(
            "curl",
            [
                "-sS", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", document.files.root,
                "--cert", device.chainFile, "--key", device.keyFile, url,
            ]
        ).text
    }

    /// What a gateway answers.
    func body(_ url: String, as device: SystemDevice) async throws -> String {
        try await Shell.run(
            "curl -sS --max-time 20 --cacert \"$1\" --cert \"$2\" --key \"$3\" \"$4\"",
            document.files.root,
            device.chainFile,
            device.keyFile,
            url
        )
    }

    /// Asks a gateway again and again, each time on a connection of its own, until it is told to stop.
    func askAlways(_ url: String, as device: SystemDevice) async throws -> SteadyClient {
        let script = """
            while [ ! -e "$0" ]; do
                curl -sS --max-time 20 -o /dev/null -w '%{http_code}\\n' --cacert "$1" --cert "$2" --key "$3" "$4" || true
            done
            """
        let stop = folder.path + "/stop-\(UInt32.random(in: 0 ... .max))"
        let program = try await BackgroundProgram([
            "bash", "-c", script, stop, document.files.root, device.chainFile, device.keyFile, url,
        ])
        return SteadyClient(program: program, stopFile: stop)
    }

    @discardableResult
    func revoke(_ device: SystemDevice, _ options: String...) async throws -> String {
        try await muster(["revoke", device.id, "--fleet", document.fleet] + options)
    }

    func release(_ device: SystemDevice) async throws {
        try await muster(["device", "release", device.id, "--fleet", document.fleet])
    }

    @discardableResult
    func muster(_ arguments: [String]) async throws -> String {
        let dev = URL(fileURLWithPath: pki).deletingLastPathComponent().path + "/dev.json"
        let result = try await Program.run(MusterDev.executable("muster"), arguments + ["--dev", dev])
        try #require(result.succeeded, "\(result.text)\(result.errorOutput)")
        return result.text
    }
}

/// A device that asks without end.
struct SteadyClient: Sendable {
    let program: BackgroundProgram
    fileprivate let stopFile: String

    /// How often it was answered so far.
    var answers: [Substring] { program.log.split(separator: "\n") }

    /// Ends it in order.
    /// - Returns: All that it was told: statuses, and what curl complained of.
    func stop() async throws -> [Substring] {
        _ = FileManager.default.createFile(atPath: stopFile, contents: nil)
        #expect(try await program.end(withinSeconds: 60) == 0)
        return answers
    }
}
