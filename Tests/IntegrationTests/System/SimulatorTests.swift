import Foundation
import TestPeers
import Testing

extension SystemTests {
    /// `muster-sim`: a fleet of devices at their first boot.
    @Suite struct SimulatorTests {
        /// What its JSON report says, as far as these tests ask.
        private struct Report: Decodable {
            struct Record: Decodable {
                let held: Int
                let found: Int
            }

            let seed: UInt64
            let devicesDone: Int
            let outcomes: [String: Int]
            let acknowledged: Int?
            let record: Record
        }

        @Test func `a hundred devices enroll, hear the trust store, and stand in the record`() async throws {
            let report = try await Self.run(["--devices", "100", "--mqtt"])
            #expect(report.devicesDone == 100)
            #expect(report.outcomes == ["enrolled": 100])
            #expect(report.acknowledged == 100)
            #expect(report.record.held == 100 && report.record.found == 100)
        }

        @Test func `devices of one claim certificate enroll`() async throws {
            let report = try await Self.run(["--devices", "10", "--identity", "claim"])
            #expect(report.outcomes == ["enrolled": 10])
            #expect(report.record.found == 10)
        }

        @Test(arguments: ["p256", "p384", "rsa2048", "ed25519"])
        func `devices with keys of each kind enroll`(key: String) async throws {
            let report = try await Self.run(["--devices", "3", "--key", key])
            #expect(report.outcomes == ["enrolled": 3])
            #expect(report.record.found == 3)
        }

        @Test func `the same seed is the same fleet, and enrolling it twice leaves one device each`() async throws {
            let first = try await Self.run(["--devices", "5"])
            let again = try await Self.run(["--devices", "5", "--seed", "\(first.seed)"])
            #expect(again.seed == first.seed)
            #expect(again.outcomes == ["enrolled": 5])
        }

        private static func run(_ options: [String]) async throws -> Report {
            let (dev, _) = try await MusterDev.shared.running()
            let folder = try TemporaryDirectory(prefix: "msim")
            let json = folder.path + "/report.json"
            let arguments = ["enroll", "--dev", dev.state + "/dev.json", "--json", json] + options
            let result = try await Program.run(MusterDev.executable("muster-sim"), arguments)
            try #require(result.succeeded, "\(result.errorOutput)\n\(result.text)")
            return try JSONDecoder().decode(Report.self, from: Data(folder.read("report.json")))
        }
    }
}
