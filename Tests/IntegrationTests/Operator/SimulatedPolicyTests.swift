import Foundation
import TestPeers
import Testing

extension OperatorTests {
    /// The simulator's fleet under policies.
    struct SimulatedPolicyTests {
        @Test func `a batch of claims is cut off at its limit, and the simulator says so`() async throws {
            let fleet = try await OperatedFleet(policy: "open", claim: ["credentialLimits: {devices: 5}"])
            let run = try await simulate(
                fleet,
                "--identity",
                "claim",
                "--devices",
                "8",
                "--expect",
                "issued=5,credential-device-limit=3"
            )
            #expect(run.succeeded, "\(run.text)\(run.errorOutput)")
        }

        @Test func `devices wait with Retry-After until they are approved`() async throws {
            let fleet = try await OperatedFleet(policy: "approval")
            async let waiting = simulate(fleet, "--devices", "3", "--wait", "120", "--expect", "issued=3")
            var approved: Set<String> = []
            try await Eventually.holds("three devices to ask", seconds: 120) {
                let text = try await fleet.muster("approval", "list", "--fleet", fleet.name, "--json")
                let rows = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
                for device in (rows ?? []).compactMap({ $0["device"] as? String }) where !approved.contains(device) {
                    try await fleet.muster("approval", "approve", device, "--fleet", fleet.name)
                    approved.insert(device)
                }
                return approved.count == 3
            }
            let run = try await waiting
            #expect(run.succeeded, "\(run.text)\(run.errorOutput)")
        }

        private func simulate(_ fleet: OperatedFleet, _ arguments: String...) async throws -> Program.Result {
            try await Program.run(
                MusterDev.executable("muster-sim"),
                ["enroll", "--dev", fleet.devFile, "--fleet", fleet.name] + arguments
            )
        }
    }
}
