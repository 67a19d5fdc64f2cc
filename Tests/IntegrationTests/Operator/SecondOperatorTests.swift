import Foundation
import Glibc
import TestPeers
import Testing

extension OperatorTests {
    /// Two operators revoke together what one may not.
    struct SecondOperatorTests {
        /// A command of an operator at a server.
        private static func muster(
            at port: Substring,
            _ folder: TemporaryDirectory,
            as name: String,
            _ arguments: [String]
        ) async throws -> Program.Result {
            let (_, document) = try await MusterDev.shared.running()
            return try await Program.run(
                MusterDev.executable("muster"),
                arguments,
                environment: [
                    "MUSTER_CLIENT_URL": "https://localhost:\(port)", "MUSTER_CLIENT_CA_FILE": document.files.root,
                    "MUSTER_CLIENT_CERTIFICATE_FILE": "\(folder.path)/\(name)/\(name).pem",
                    "MUSTER_CLIENT_KEY_FILE": "\(folder.path)/\(name)/\(name).key", "NO_COLOR": "1",
                ]
            )
        }

        @Test func `a group beyond the limit is revoked by the command that asked, once another operator approved it`()
            async throws
        {
            let fleet = try await OperatedFleet(policy: "open")
            try await fleet.makeClaim("leaked")
            for number in 1...4 {
                try await fleet.makeClaimant("claimed-\(number)")
                try await fleet.bench.save(
                    try await fleet.enroll("claimed-\(number)", as: "leaked"),
                    as: "claimed-\(number)-op"
                )
            }
            let folder = try TemporaryDirectory(prefix: "msecond")
            let names = (0..<2).map { _ in "o\(UInt32.random(in: 0 ... .max))" }
            for name in names {
                try await fleet.muster("operator", "add", name, "--role", "operator", "--out", "\(folder.path)/\(name)")
            }
            let (dev, _) = try await MusterDev.shared.running()
            let replica = try await SystemTests.ServeTests.Replica(
                config: dev.state + "/muster.yaml",
                options: ["--set", "operator.revocationsPerHourMax=1"]
            )
            let port = try #require(replica.program.log.firstMatch(of: /"message":"serving".*"operator":"(\d+)"/)?.1)
            func muster(_ place: Int, _ arguments: [String]) async throws -> Program.Result {
                try await Self.muster(at: port, folder, as: names[place], arguments + ["--fleet", fleet.name])
            }
            let wanted = ["revoke", "--all", "--confirm", "4", "--reason", "keyCompromise"]
            let asked = try await muster(0, wanted)
            #expect(asked.exitStatus == 1)
            #expect(asked.errorOutput.contains("may revoke 1 more devices in this hour, not 4; nothing was done"))
            let number = try #require(asked.errorOutput.firstMatch(of: /muster revocation approve (\d+)/)?.1)
            let again = try await muster(0, wanted)
            #expect(again.errorOutput == asked.errorOutput, "it is asked once")
            let own = try await muster(0, ["revocation", "approve", String(number)])
            #expect(!own.succeeded && own.errorOutput.contains("another operator has to approve"))

            let shown = try await muster(1, ["revocation", "show", String(number)])
            #expect(
                shown.text.contains("claimed-1, claimed-2") && shown.text.contains("pending"),
                "\(shown.errorOutput)"
            )
            let approved = try await muster(1, ["revocation", "approve", String(number)])
            #expect(approved.text == "operator \(names[0]) may revoke 4 devices for keyCompromise\n")
            let other = try await muster(1, wanted)
            #expect(!other.succeeded && other.errorOutput.contains("nothing was done"), "it is the first one's alone")
            let done = try await muster(0, wanted)
            #expect(done.text == "4 devices are revoked; 0 were already\n", "\(done.errorOutput)")
            let listed = try await muster(0, ["revocation", "list"])
            #expect(listed.text.contains("approved") && listed.text.contains("operator \(names[1])"))
            replica.program.signal(SIGTERM)
            #expect(try await replica.program.end(withinSeconds: 60) == 0)
        }
    }
}
