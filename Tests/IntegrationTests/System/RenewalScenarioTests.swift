import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests {
    /// `muster-sim run` of a fleet that renews, in small, against a real server.
    @Suite struct RenewalScenarioTests {
        private struct Report: Decodable {
            struct Limit: Decodable {
                let limit: String
                let isMet: Bool
            }

            let devices: Int
            let isInterrupted: Bool
            let seconds: Double
            let renewals: Int
            let outdated: Int
            let returned: Int
            let answers: [String: Int]
            let problems: [String: Int]
            let limits: [Limit]
        }

        /// A day takes half a minute, so that certificates of two days live as short as any can.
        private static let scenario = """
            scenario: small-renewal
            seed: 2
            retry: {max: 100, wait: 1s, jitter: 100%}
            renewal:
              devices: 12
              day: 30s
              days: 5
              lifetime: 2d
              renewAt: [30%, 50%]
              skew: {share: 30%, by: [1h, 6h]}
              offline: {share: 30%, for: [50h, 54h]}
            limits: {current: 100%, lapsed: 12, returned: 100%}
            """

        @Test func `devices renew through an outage of the record, and who was away too long comes back by its IDevID`()
            async throws
        {
            let dev = try MusterDev()
            let document = try await dev.start()
            let folder = try TemporaryDirectory(prefix: "mrenew")
            let scenario = try folder.write("renewal.yaml", Self.scenario.utf8)
            let fleet = try await BackgroundProgram([
                MusterDev.executable("muster-sim"), "run", scenario, "--dev", dev.state + "/dev.json",
                "--json", folder.path + "/renewal.json", "--html", folder.path + "/renewal.html",
            ])
            let probe = RecordProbe(document)
            let renewed = "select count(*) from certificates where device_id like 'sim-2-%'"
            // All are there, and some have renewed.
            try await Eventually.holds("renewals", seconds: 120) { Int(try await probe.query(renewed)) ?? 0 > 14 }
            let peers = LocalPeers(state: dev.state)
            try await peers.killDatabase("KILL")
            try await peers.startDatabase()
            #expect(try await fleet.end(withinSeconds: 300) == 0, "\(fleet.log.suffix(3_000))")

            let report = try JSONDecoder().decode(Report.self, from: Data(folder.read("renewal.json")))
            #expect(report.devices == 12 && report.problems.isEmpty && report.limits.allSatisfy { $0.isMet })
            #expect(!report.isInterrupted)
            #expect(report.renewals > 12 && report.outdated > 0 && report.returned == report.outdated)
            // What each device holds is in the record, as many as it says.
            let certificates = 12 + report.renewals + report.returned
            #expect(Int(try await probe.query(renewed)) ?? 0 >= certificates, "\(report)")
            try await dev.stop()
        }

        @Test func `SIGINT ends it early, with a report of what was measured until then`() async throws {
            let dev = try MusterDev()
            let document = try await dev.start()
            let folder = try TemporaryDirectory(prefix: "mrenew")
            let scenario = try folder.write("renewal.yaml", Self.scenario.utf8)
            let fleet = try await BackgroundProgram([
                MusterDev.executable("muster-sim"), "run", scenario, "--dev", dev.state + "/dev.json",
                "--json", folder.path + "/renewal.json", "--html", folder.path + "/renewal.html",
            ])
            let renewed = "select count(*) from certificates where device_id like 'sim-2-%'"
            try await Eventually.holds("renewals", seconds: 120) {
                Int(try await RecordProbe(document).query(renewed)) ?? 0 > 16
            }
            fleet.signal(SIGINT)
            #expect(try await fleet.end(withinSeconds: 60) == 130, "\(fleet.log.suffix(3_000))")
            let report = try JSONDecoder().decode(Report.self, from: Data(folder.read("renewal.json")))
            #expect(report.isInterrupted && report.renewals > 0 && report.seconds < 150, "\(report)")
            // All were still at it; what they had been told before stands apart.
            #expect(report.problems == ["interrupted": 12])
            #expect(fleet.log.contains("renewals, interrupted after ") && fleet.log.contains("\nINTERRUPTED\n"))
            let page = String(decoding: try folder.read("renewal.html"), as: UTF8.self)
            #expect(page.contains(">interrupted<") && !page.contains(">passed<"))
            try await dev.stop()
        }
    }
}
