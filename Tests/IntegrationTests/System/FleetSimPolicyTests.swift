import Foundation
import TestPeers
import Testing

extension SystemTests {
    /// `muster-sim` with bootstrap credentials, lists of devices and fleets of its own making.
    @Suite struct FleetSimPolicyTests {
        /// What its JSON report says, as far as these tests ask.
        private struct Report: Decodable {
            struct Claim: Decodable {
                let sha256: String
                let counts: [String: Int]
            }

            let counts: [String: Int]
            let claims: [Claim]?
        }

        @Test func `devices of three claims stand in the record each under the claim that let it in`() async throws {
            let (dev, document) = try await MusterDev.shared.running()
            let authority = URL(fileURLWithPath: document.files.claimCert).deletingLastPathComponent().path
            let claims = [
                "--identity", "claim", "--claims", "3", "--claim-ca-cert", authority + "/claim-ca.pem",
                "--claim-ca-key", authority + "/claim-ca.key",
            ]
            let report = try await Self.enroll(dev, ["--devices", "7", "--expect", "issued=7"] + claims)
            let reported = try #require(report.claims).map { "\($0.sha256)|\($0.counts["issued"] ?? 0)" }
            let list = reported.map { "'\($0.prefix(64))'" }.joined(separator: ",")
            let recorded = try await RecordProbe(document).query(
                """
                select encode(first_credential_sha256, 'hex'), count(*) from devices
                where encode(first_credential_sha256, 'hex') in (\(list)) group by 1
                """
            )
            #expect(Set(recorded.split(separator: "\n").map(String.init)) == Set(reported))
        }

        @Test func `keys of a folder come again as the same devices with the same certificates`() async throws {
            let (dev, _) = try await MusterDev.shared.running()
            let folder = try TemporaryDirectory(prefix: "msim")
            let identities = ["--devices", "4", "--identities", folder.path + "/ids"]
            let list = try await Program.run(
                MusterDev.executable("muster-sim"),
                ["registrations", "--dev", dev.state + "/dev.json", "--pin", "key"] + identities
            )
            try #require(list.succeeded, "\(list.errorOutput)")
            #expect(list.text.split(separator: "\n").count == 5)
            var held: [Set<[UInt8]>] = []
            for run in ["first", "again"] {
                let out = folder.path + "/" + run
                _ = try await Self.enroll(dev, identities + ["--out", out, "--expect", "issued=4"])
                let names = try FileManager.default.contentsOfDirectory(atPath: out)
                held.append(try Set(names.map { try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(out)/\($0)"))) }))
            }
            #expect(held[0].count == 4 && held[0] == held[1])
        }

        @Test func `counts other than those expected end with a failure`() async throws {
            let (dev, _) = try await MusterDev.shared.running()
            let options = [
                "enroll", "--dev", dev.state + "/dev.json", "--devices", "2", "--expect", "issued=1,pending=1",
            ]
            let result = try await Program.run(MusterDev.executable("muster-sim"), options)
            #expect(!result.succeeded)
            #expect(result.text.contains("NOT AS EXPECTED: issued=1,pending=1 was to come, issued=2 came"))
        }

        private static func enroll(_ dev: MusterDev, _ options: [String]) async throws -> Report {
            let folder = try TemporaryDirectory(prefix: "msim")
            let arguments = ["enroll", "--dev", dev.state + "/dev.json", "--json", folder.path + "/report.json"]
            let result = try await Program.run(MusterDev.executable("muster-sim"), arguments + options)
            try #require(result.succeeded, "\(result.errorOutput)\n\(result.text)")
            return try JSONDecoder().decode(Report.self, from: Data(folder.read("report.json")))
        }
    }
}
