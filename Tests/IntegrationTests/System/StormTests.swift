import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests {
    /// `muster-sim run` of a revocation storm, in small, against `muster dev --agent` and the real nginx.
    @Suite struct StormTests {
        /// What its JSON report says, as far as these tests ask.
        private struct Report: Decodable {
            struct Limit: Decodable {
                let limit: String
                let measured: String
                let isMet: Bool
            }

            struct Stage: Decodable {
                struct Times: Decodable { let count: Int }

                let stage: String
                let times: Times
            }

            let devices: Int
            let isInterrupted: Bool
            let revoked: Int
            let problems: [String: Int]
            let stages: [Stage]
            let limits: [Limit]

            func count(_ stage: String) -> Int { stages.first { $0.stage == stage }?.times.count ?? 0 }
        }

        /// The committed scenario's devices, without its times: a test's machine may be slow.
        private static let storm = """
            scenario: small-storm
            seed: 3
            retry: {max: 20, wait: 500ms}
            revocation: {devices: 24, leaked: 25%, concurrency: 8, watch: 500ms, patience: 2m}
            limits: {refused: 100%, unaffected: 100%, p99: {session: 2m, reconnect: 2m, renewal: 2m, gateway: 2m}}
            """

        @Test func `whoever the leaked claim let in is refused everywhere, and nobody else notices`() async throws {
            let dev = try MusterDev()
            let document = try await dev.start(["--agent"])
            let bed = try await AgentBed(document)
            try bed.configure("")
            try await bed.prepare()
            let (nginx, url, reload) = try await NginxTests.start(bed)
            try bed.configure("reload:\n  command: \(reload)")
            let agent = try await bed.startAgent()
            let visitor = try await SystemDevice(document).enrolled()
            try await Eventually.holds("nginx") { try await bed.ask(url, as: visitor) == "200" }

            let scenario = try bed.folder.write("storm.yaml", Self.storm.utf8)
            let result = try await Program.run(
                MusterDev.executable("muster-sim"),
                [
                    "run", scenario, "--dev", dev.state + "/dev.json", "--gateway", String(url.dropLast()),
                    "--json", bed.folder.path + "/storm.json", "--html", bed.folder.path + "/storm.html",
                ]
            )
            #expect(result.succeeded, "\(result.errorOutput)\n\(result.text)\n\(agent.log.suffix(2_000))")
            let report = try JSONDecoder().decode(Report.self, from: Data(bed.folder.read("storm.json")))
            #expect(report.devices == 24 && report.revoked == 6 && report.problems.isEmpty && !report.isInterrupted)
            #expect(report.limits.allSatisfy { $0.isMet }, "\(report.limits)")
            for stage in ["session", "reconnect", "renewal", "gateway"] {
                #expect(report.count(stage) == 6, "\(stage)")
            }
            for stage in ["renewed", "admitted"] { #expect(report.count(stage) == 18, "\(stage)") }
            #expect(report.count("message") >= 18)

            // The record says the same of each: revoked are those of one credential, and it is blocked.
            let probe = RecordProbe(document)
            #expect(try await probe.query("select count(*) from certificates where status = 'revoked'") == "6")
            let page = String(decoding: try bed.folder.read("storm.html"), as: UTF8.self)
            #expect(page.contains(">passed<") && page.contains("session closed</text>") && !page.contains("<script"))

            for program in [agent, nginx] {
                program.signal(SIGTERM)
                #expect(try await program.end(withinSeconds: 30) == 0, "\(program.log.suffix(2_000))")
            }
            try await dev.stop()
            #expect(try await dev.processes() == [])
        }

        @Test func `SIGINT ends it early, with a report of what was measured until then`() async throws {
            let dev = try MusterDev()
            let document = try await dev.start(["--agent"])
            let folder = try TemporaryDirectory(prefix: "mstorm")
            let scenario = try folder.write("storm.yaml", Self.storm.utf8)
            // Nobody is there who could refuse, so that it does not end by itself.
            let storm = try await BackgroundProgram([
                MusterDev.executable("muster-sim"), "run", scenario, "--dev", dev.state + "/dev.json",
                "--gateway", "https://localhost:\(try QuietPort.choose())",
                "--json", folder.path + "/storm.json", "--html", folder.path + "/storm.html",
            ])
            let probe = RecordProbe(document)
            try await Eventually.holds("revocations, and renewals of others: \(storm.log)", seconds: 120) {
                let revoked = try await probe.query("select count(*) from certificates where status = 'revoked'")
                let all = try await probe.query("select count(*) from certificates where device_id like 'sim-3-%'")
                return revoked == "6" && Int(all) ?? 0 > 26
            }
            storm.signal(SIGINT)
            #expect(try await storm.end(withinSeconds: 60) == 130, "\(storm.log.suffix(3_000))")
            let report = try JSONDecoder().decode(Report.self, from: Data(folder.read("storm.json")))
            #expect(report.isInterrupted && report.revoked == 6 && report.count("renewed") > 0, "\(report)")
            #expect((report.problems["interrupted"] ?? 0) >= 6, "\(report.problems)")
            #expect(storm.log.contains("revoked, interrupted after ") && storm.log.contains("\nINTERRUPTED\n"))
            let page = String(decoding: try folder.read("storm.html"), as: UTF8.self)
            #expect(page.contains(">interrupted<") && !page.contains(">passed<"))
            try await dev.stop()
        }

        @Test func `without an agent that ends sessions a storm is refused, with what would help`() async throws {
            let (dev, _) = try await MusterDev.shared.running()
            let folder = try TemporaryDirectory(prefix: "mstorm")
            let scenario = try folder.write("storm.yaml", Self.storm.utf8)
            let result = try await Program.run(
                MusterDev.executable("muster-sim"),
                ["run", scenario, "--dev", dev.state + "/dev.json"]
            )
            #expect(!result.succeeded)
            #expect(result.errorOutput.contains("start `muster dev` with --agent"), "\(result.errorOutput)")
        }

        @Test func `the development agent is enrolled once, and operators may look on at its broker`() async throws {
            let dev = try MusterDev()
            let document = try await dev.start(["--agent"])
            let probe = RecordProbe(document)
            let certificates = "select count(*) from certificates where device_id = 'dev-agent'"
            #expect(try await probe.query(certificates) == "1")
            // The operator's CA has a list at the broker too, without which nobody of it would come in.
            let heard = try await Program.run(
                "mosquitto_sub",
                [
                    "-V", "5", "-h", document.mqtt.host, "-p", "\(document.mqtt.port)", "--cafile", document.files.root,
                    "--cert", document.files.operatorCert, "--key", document.files.operatorKey,
                    "-t", "muster/v1/fleets/\(document.fleet)/truststore", "-C", "1", "-W", "30", "-N",
                ]
            )
            #expect(heard.succeeded, "\(heard.errorOutput)")
            try await dev.stop()
            try await dev.start(["--agent"])
            #expect(try await RecordProbe(dev.document()).query(certificates) == "1")
            try await dev.stop()
        }
    }
}
