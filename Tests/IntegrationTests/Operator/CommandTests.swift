import Foundation
import TestPeers
import Testing

extension OperatorTests {
    /// Every command of an operator, run as it is built against a running server.
    struct CommandTests {
        @Test func `a fleet is shown before it is made, made, changed, and left alone if nothing differs`() async throws
        {
            let fleet = try await OperatedFleet(policy: "open")
            let file = fleet.bench.path("fleet.yaml")
            #expect(try await fleet.muster("fleet", "apply", file).contains("is as the file says"))
            let text = String(decoding: try fleet.bench.read("fleet.yaml"), as: UTF8.self)
            try fleet.bench.write("fleet.yaml", text.replacing("policy: open", with: "policy: approval").utf8)
            let difference = try await fleet.command(["fleet", "apply", file, "--dry-run", "--exit-code"])
            #expect(difference.exitStatus == 2)
            #expect(difference.text.contains("~ policy: open -> approval"))
            #expect(try await fleet.muster("fleet", "show", fleet.name, "--json").contains("\"open\""), "a dry run")
            #expect(try await fleet.muster("fleet", "apply", file).contains("was changed"))
            #expect(try await fleet.muster("fleet", "list").contains(fleet.name))
            let audit = try await fleet.muster("audit", "list", "--subject", fleet.name)
            #expect(audit.contains("fleet.changed") && audit.contains("fleet.created"))
            #expect(try await fleet.muster("audit", "verify").hasPrefix("intact: "))
        }

        @Test func `what a fleet shows can be applied as it stands`() async throws {
            let fleet = try await OperatedFleet(policy: "allowlist", claim: ["credentialLimits: {devices: 5}"])
            try fleet.bench.write("shown.yaml", try await fleet.muster("fleet", "show", fleet.name).utf8)
            #expect(
                try await fleet.muster("fleet", "apply", fleet.bench.path("shown.yaml")).contains("as the file says")
            )
        }

        @Test func `mistakes in a description are told with their lines`() async throws {
            let fleet = try await OperatedFleet(policy: "open")
            let text = String(decoding: try fleet.bench.read("fleet.yaml"), as: UTF8.self)
            try fleet.bench.write("unknown.yaml", text.replacing("policy:", with: "polizy:").utf8)
            let unknown = try await fleet.command(["fleet", "apply", fleet.bench.path("unknown.yaml")])
            #expect(unknown.exitStatus == 1)
            #expect(unknown.errorOutput.contains("policy is missing"))
            let wrong = text.replacing("policy: open", with: "policy: closed")
                .replacing("deviceID: request-common-name", with: "deviceID: guess")
            try fleet.bench.write("wrong.yaml", wrong.utf8)
            let refused = try await fleet.command(["fleet", "apply", fleet.bench.path("wrong.yaml")])
            #expect(refused.exitStatus == 1)
            #expect(refused.errorOutput.contains("wrong.yaml:2: policy"))
            #expect(refused.errorOutput.contains("wrong.yaml:13: anchors[1].deviceID"))
        }

        @Test func `the example applies as it stands but for the certificate`() async throws {
            let fleet = try await OperatedFleet(policy: "open")
            let example = try await fleet.muster("fleet", "example")
                .replacing("fleet: meters ", with: "fleet: \(fleet.name) ")
                .replacing("factory-ca.pem", with: fleet.bench.document.files.manufacturerCert)
            try fleet.bench.write("example.yaml", example.utf8)
            #expect(try await fleet.muster("fleet", "apply", fleet.bench.path("example.yaml")).contains("was changed"))
        }

        @Test func `registrations are added, pinned by files, shown, listed and removed`() async throws {
            let fleet = try await OperatedFleet(policy: "allowlist")
            try await fleet.makeDevice("unit")
            try await fleet.bench.sh("openssl pkey -in unit-op.key -pubout -out unit-op.pub")
            try await fleet.muster(
                "registration",
                "add",
                "unit",
                "--fleet",
                fleet.name,
                "--key",
                fleet.bench.path("unit-op.pub"),
                "--idevid",
                fleet.bench.path("unit.pem")
            )
            let shown = try await fleet.muster("registration", "show", "unit", "--fleet", fleet.name)
            #expect(shown.contains(try await fleet.keyFingerprint("unit")))
            #expect(shown.contains(try await fleet.fingerprint("unit")))
            #expect(try await fleet.enroll("unit").status == 200)
            let listed = try await fleet.muster("registration", "list", "--fleet", fleet.name, "--prefix", "un")
            #expect(listed.contains("unit") && listed.contains("yes"))
            try await fleet.muster("registration", "remove", "unit", "--fleet", fleet.name)
            let gone = try await fleet.command(["registration", "show", "unit", "--fleet", fleet.name])
            #expect(gone.exitStatus == 1)
            #expect(gone.errorOutput.contains("unit"))
        }

        @Test func `an import takes all lines or none, and a repeat changes nothing`() async throws {
            let fleet = try await OperatedFleet(policy: "allowlist")
            let lines = (1...5_000).map { "unit-\($0)" }
            try fleet.bench.write("bad.csv", (["device"] + lines + ["no good", "unit-7"]).joined(separator: "\n").utf8)
            let refused = try await fleet.command(
                ["registration", "import", fleet.bench.path("bad.csv"), "--fleet", fleet.name]
            )
            #expect(refused.exitStatus == 1)
            #expect(refused.errorOutput.contains("bad.csv:5002: 'no good' is no DeviceID"))
            #expect(refused.errorOutput.contains("bad.csv:5003: unit-7 stands in line 8 already"))
            let none = try await fleet.command(["registration", "list", "--fleet", fleet.name, "--json"])
            #expect(none.text.trimmingBlanks == "[\n\n]" || none.text.trimmingBlanks == "[]")

            try fleet.bench.write("good.csv", (["device"] + lines).joined(separator: "\n").utf8)
            let file = fleet.bench.path("good.csv")
            let first = try await fleet.muster("registration", "import", file, "--fleet", fleet.name)
            #expect(first.contains("5000 added, 0 changed, 0 unchanged"))
            let again = try await fleet.muster("registration", "import", file, "--fleet", fleet.name)
            #expect(again.contains("0 added, 0 changed, 5000 unchanged"))
            let json = lines.map { "{\"device\":\"\($0)\",\"keySHA256\":\"\(String(repeating: "0a", count: 32))\"}" }
            try fleet.bench.write("pins.jsonl", json.joined(separator: "\n").utf8)
            let pins = fleet.bench.path("pins.jsonl")
            let pinned = try await fleet.muster("registration", "import", pins, "--fleet", fleet.name)
            #expect(pinned.contains("0 added, 5000 changed, 0 unchanged"))
            let all = try await fleet.muster("registration", "list", "--fleet", fleet.name, "--all", "--json")
            #expect(all.components(separatedBy: "\"device\"").count == 5_001)
        }

        @Test func `devices are listed and found by prefix, credential, key and serial number`() async throws {
            let fleet = try await OperatedFleet(policy: "open")
            for device in ["a-1", "a-2", "b-1"] {
                try await fleet.makeDevice(device)
                #expect(try await fleet.enroll(device).status == 200)
            }
            func devices(_ options: String...) async throws -> [String] {
                let result = try await fleet.command(["device", "list", "--fleet", fleet.name, "--json"] + options)
                let rows = try JSONSerialization.jsonObject(with: Data(result.text.utf8)) as? [[String: Any]]
                return (rows ?? []).compactMap { $0["device"] as? String }
            }
            #expect(try await devices() == ["a-1", "a-2", "b-1"])
            #expect(try await devices("--prefix", "a-") == ["a-1", "a-2"])
            #expect(try await devices("--limit", "1") == ["a-1"])
            #expect(try await devices("--credential", fleet.fingerprint("b-1")) == ["b-1"])
            #expect(try await devices("--key-sha256", fleet.keyFingerprint("a-2")) == ["a-2"])
            #expect(try await devices("--enrolled-from", "2020-01-01T00:00:00Z") == ["b-1", "a-2", "a-1"])
            #expect(try await devices("--enrolled-until", "2020-01-01T00:00:00Z") == [])
            #expect(try await devices("--expiring-until", "2020-01-01T00:00:00Z") == [])

            let pem = try await fleet.muster("device", "show", "a-1", "--fleet", fleet.name, "--pem")
            try fleet.bench.write("shown.pem", pem.utf8)
            let serial = try await fleet.bench.sh("openssl x509 -in shown.pem -noout -serial | cut -d= -f2")
            #expect(try await devices("--serial", serial.lowercased()) == ["a-1"])
            let shown = try await fleet.muster("device", "show", "a-1", "--fleet", fleet.name)
            #expect(shown.contains("factory") && shown.lowercased().contains(serial.lowercased()))
            #expect(try await fleet.muster("device", "certificates", "a-1", "--fleet", fleet.name).contains("valid"))
            let two = try await fleet.command(
                ["device", "list", "--fleet", fleet.name, "--prefix", "a", "--serial", "0a0b0c0d0e0f0a0b"]
            )
            #expect(two.exitStatus == 1)
        }

        @Test func `attempts, anchors, issuers and trust stores are shown, and a trust store published anew`()
            async throws
        {
            let fleet = try await OperatedFleet(policy: "open", factory: ["limits: {devices: 7}"])
            try await fleet.makeDevice("seen")
            #expect(try await fleet.enroll("seen").status == 200)
            let attempts = try await fleet.muster("attempt", "list", "--fleet", fleet.name, "--outcome", "issued")
            #expect(attempts.contains("seen") && attempts.contains("open-first"))
            let why = try await fleet.muster("attempt", "show", "--fleet", fleet.name, "--device", "seen")
            #expect(why.contains("open-first"))
            let anchors = try await fleet.muster("anchor", "list", "--fleet", fleet.name)
            #expect(anchors.contains("factory") && anchors.contains("7 devices"))
            #expect(try await fleet.muster("anchor", "show", "factory", "--fleet", fleet.name).contains("replace"))
            let issuers = try await fleet.muster("issuer", "list", "--json")
            #expect(issuers.contains(fleet.name))
            let chain = try await fleet.muster("issuer", "show", "dev", "--pem")
            #expect(chain.components(separatedBy: "BEGIN CERTIFICATE").count == 3)
            #expect(try await fleet.muster("truststore", "show", "--fleet", fleet.name).contains("version    1"))
            #expect(try await fleet.muster("truststore", "publish", "--fleet", fleet.name).contains("version    2"))
            let message = fleet.bench.path("store.cms")
            try await fleet.muster("truststore", "export", "--fleet", fleet.name, "--format", "cms", "--out", message)
            let verified = try await fleet.bench.sh(
                "openssl cms -verify -purpose any -inform DER -in store.cms -CAfile \"$ROOT\" 2>&1"
            )
            #expect(verified.contains("\"version\":2"))
            #expect(try await fleet.muster("truststore", "export", "--fleet", fleet.name).contains("BEGIN CERTIFICATE"))
        }

        @Test func `a credential that nobody saw can be blocked by its file, and a deleted mark stays away`()
            async throws
        {
            let fleet = try await OperatedFleet(policy: "open")
            try await fleet.makeClaim("leaked")
            let file = fleet.bench.path("leaked.pem")
            try await fleet.muster(
                "credential",
                "block",
                "--certificate",
                file,
                "--fleet",
                fleet.name,
                "--comment",
                "on the net"
            )
            let shown = try await fleet.muster("credential", "show", "--certificate", file, "--fleet", fleet.name)
            #expect(shown.contains("on the net") && shown.contains("operator dev"))
            let blocked = try await fleet.muster("credential", "list", "--fleet", fleet.name, "--blocked")
            #expect(blocked.contains(try await fleet.fingerprint("leaked")))
            try await fleet.makeClaimant("unit")
            #expect(try await fleet.enroll("unit", as: "leaked").reason == "credential-blocked")
        }

        @Test func `operators are added with a key of their own, do what their role may, and lose it at once`()
            async throws
        {
            let fleet = try await OperatedFleet(policy: "open")
            let name = "eve-\(UInt32.random(in: 0 ... .max))"
            let folder = fleet.bench.path(name)
            try await fleet.muster("operator", "add", name, "--role", "viewer", "--out", folder)
            let profile = "\(folder)/\(name).yaml"
            let mode =
                try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name).key")[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(try await fleet.muster("operator", "self", "--profile", profile).hasPrefix("\(name), viewer"))
            #expect(try await fleet.muster("fleet", "list", "--profile", profile).contains(fleet.name))
            let denied = try await fleet.command(
                ["registration", "add", "x", "--fleet", fleet.name, "--profile", profile]
            )
            #expect(denied.exitStatus == 77)
            #expect(denied.errorOutput.contains("viewer") && denied.errorOutput.contains("operator"))
            #expect(try await fleet.muster("operator", "list").contains(name))
            try await fleet.muster("operator", "remove", name)
            #expect(try await fleet.command(["operator", "self", "--profile", profile]).exitStatus == 77)
        }

        @Test func `a server that is not there, or not named, is told as such`() async throws {
            let fleet = try await OperatedFleet(policy: "open")
            let away = try await Program.run(
                MusterDev.executable("muster"),
                ["fleet", "list"],
                environment: [
                    "MUSTER_CLIENT_URL": "https://localhost:1",
                    "MUSTER_CLIENT_CA_FILE": fleet.bench.document.files.root,
                    "MUSTER_CLIENT_CERTIFICATE_FILE": fleet.bench.document.files.operatorCert,
                    "MUSTER_CLIENT_KEY_FILE": fleet.bench.document.files.operatorKey,
                ]
            )
            #expect(away.exitStatus == 69)
            #expect(away.errorOutput.contains("https://localhost:1") && away.errorOutput.contains("MUSTER_CLIENT_"))
            let nowhere = try await Program.run(
                MusterDev.executable("muster"),
                ["fleet", "list"],
                environment: ["HOME": fleet.bench.path("home"), "XDG_CONFIG_HOME": fleet.bench.path("home")]
            )
            #expect(nowhere.exitStatus == 64)
            #expect(nowhere.errorOutput.contains("--profile") && nowhere.errorOutput.contains("--dev"))
        }

        @Test func `an approval is shown with its evidence before it is decided`() async throws {
            let fleet = try await OperatedFleet(policy: "approval")
            try await fleet.makeDevice("asks")
            #expect(try await fleet.enroll("asks").status == 202)
            let shown = try await fleet.muster("approval", "show", "asks", "--fleet", fleet.name)
            #expect(shown.contains(try await fleet.fingerprint("asks")))
            #expect(shown.contains(try await fleet.keyFingerprint("asks")))
            #expect(shown.contains("factory") && shown.contains("pending"))
            let nobody = try await fleet.command(["approval", "approve", "nobody", "--fleet", fleet.name])
            #expect(nobody.exitStatus == 1)
            #expect(nobody.errorOutput.contains("nobody"))
        }

        @Test func `what was refused, approved and marked is counted for Prometheus`() async throws {
            let fleet = try await OperatedFleet(policy: "allowlist")
            try await fleet.makeDevice("counted")
            #expect(try await fleet.enroll("counted").status == 403)
            try await fleet.muster("registration", "add", "counted", "--fleet", fleet.name)
            #expect(try await fleet.enroll("counted").status == 200)
            let answer = try await Program.run("curl", ["-sSf", fleet.bench.document.urls.metrics + "/metrics"])
            func value(_ series: String) -> Double? {
                answer.text.split(separator: "\n").first { $0.hasPrefix(series + " ") }
                    .flatMap { Double($0.split(separator: " ").last ?? "") }
            }
            let attempts = "muster_enrollment_attempts_total{fleet=\"\(fleet.name)\","
            #expect(value(attempts + "outcome=\"refused\",reason=\"device-not-registered\"}") == 1)
            #expect(value(attempts + "outcome=\"issued\",reason=\"\"}") == 1)
            for stage in ["identity", "request", "decide", "sign", "commit", "total"] {
                #expect(value("muster_enrollment_stage_seconds_count{stage=\"\(stage)\"}") ?? 0 >= 1)
            }
            #expect(value("muster_commits_total") ?? 0 >= 2)
            #expect(value("muster_tls_handshakes_total{front=\"est\",result=\"completed\"}") ?? 0 >= 2)
            #expect(value("muster_operator_requests_total{operation=\"putRegistration\",status=\"201\"}") ?? 0 >= 1)
            for series in [
                "muster_commit_group_size_count", "muster_outbox_oldest_seconds", "muster_database_waiting",
                "muster_database_connections{state=\"idle\"}", "process_resident_memory_bytes",
            ] { #expect(value(series) != nil, "\(series)") }
            #expect(answer.text.contains("muster_certificates_expiring{"))
        }

        @Test func `shells are given completions`() async throws {
            for shell in ["bash", "zsh", "fish"] {
                let result = try await Shell.muster("--generate-completion-script", shell)
                #expect(result.succeeded && result.text.contains("registration"))
            }
        }
    }
}
