import Foundation
import TestPeers
import Testing

extension ESTFrontTests {
    /// What the README tells people to type.
    struct ReadmeTests {
        @Test func `the README's commands enroll one device by hand, and renew it`() async throws {
            let bench = try await Workbench()
            let folders = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().pathComponents.dropLast(4)
            let readme = try String(contentsOfFile: folders.joined(separator: "/") + "/README.md", encoding: .utf8)
            let section = try #require(readme.components(separatedBy: "## Enroll one device by hand").dropFirst().first)
            let block = try #require(section.components(separatedBy: "```").dropFirst().first)
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

        private func statePath(_ bench: Workbench) -> String {
            let pki = URL(fileURLWithPath: bench.document.files.root).deletingLastPathComponent()
            return pki.deletingLastPathComponent().path
        }
    }
}
