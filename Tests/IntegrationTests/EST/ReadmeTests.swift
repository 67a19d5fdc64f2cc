import Foundation
import TestPeers
import Testing

extension ESTFrontTests {
    /// What the README tells people to type.
    struct ReadmeTests {
        @Test func `the README's commands enroll one device by hand, and renew it`() async throws {
            let bench = try await Workbench()
            let block = try Self.block("## Enroll one device by hand")
            let commands = block.replacing(#/\ndev=\S+\n/#, with: "\ndev=\(statePath(bench))/dev.json\n")
            #expect(commands != block)
            // Its device is named in it; another run in the same record has another name.
            let answer = try await bench.sh(commands.replacing("hand-0001", with: bench.id))
            #expect(answer.contains("subject=O = Muster Demo, serialNumber = \(bench.id), CN = \(bench.id)@demo"))
            #expect(answer.contains("URI:spiffe://muster.local/demo/\(bench.id)"))
            #expect(answer.contains("device.pem: OK"))
            #expect(answer.matches(of: #/notBefore=/#).count == 2)
            #expect(answer.contains("| simpleenroll   | issued"))
            #expect(answer.contains("| simplereenroll | issued"))
            #expect(answer.contains("(2 rows)"))
        }

        @Test func `the README's commands describe a fleet, announce its devices, mend a refusal, and revoke`()
            async throws
        {
            let bench = try await Workbench()
            let block = try Self.block("## Describe a fleet of your own")
            let programs = URL(fileURLWithPath: try MusterDev.executable("muster")).deletingLastPathComponent().path
            let setting = "export PATH=\"\(programs):$PATH\" MUSTER_CLIENT_DEV=\(statePath(bench))/dev.json\n"
            let commands = block.replacing(#/\nexport PATH=.*\n/#, with: "\n" + setting)
            #expect(commands != block)
            let answer = try await bench.sh(commands + "muster device list --fleet meters\n")
            #expect(answer.contains("+ policy: allowlist") && answer.contains("nothing was done"))
            #expect(answer.contains("meters was made"))
            #expect(answer.contains("10000 registrations: 10000 added"))
            #expect(answer.contains("device-not-registered"))
            #expect(answer.contains("is registered in meters"))
            let devices = answer.split(separator: "\n").suffix(3)
            #expect(devices.count { $0.contains(" valid ") } == 2, "\(devices)")
            let revoking = try Self.block("## Describe a fleet of your own", after: 1)
            let revoked = try await bench.sh(setting + revoking)
            #expect(revoked.contains("certificateHold") && revoked.contains("moved without an order"))
            #expect(revoked.contains("keyCompromise"))
            #expect(try await bench.sh(setting + "muster device list --fleet meters\n").contains(" cleared "))
        }

        /// The commands of a section.
        /// - Parameter before: How many blocks of commands stand before them in it.
        private static func block(_ heading: String, after before: Int = 0) throws -> String {
            let folders = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().pathComponents.dropLast(4)
            let readme = try String(contentsOfFile: folders.joined(separator: "/") + "/README.md", encoding: .utf8)
            let section = try #require(readme.components(separatedBy: heading).dropFirst().first)
            return try #require(section.components(separatedBy: "```").dropFirst(2 * before + 1).first)
        }

        private func statePath(_ bench: Workbench) -> String {
            let pki = URL(fileURLWithPath: bench.document.files.root).deletingLastPathComponent()
            return pki.deletingLastPathComponent().path
        }
    }
}
