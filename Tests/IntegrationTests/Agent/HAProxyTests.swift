import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests {
    /// The agent beside HAProxy, configured by `ops/haproxy`.
    @Suite struct HAProxyTests {
        private static let program = "/usr/sbin/haproxy"

        /// HAProxy with the ready configuration, in the bed's folder, before an application that says whom it hears.
        private static func start(_ bed: AgentBed) async throws -> (haproxy: BackgroundProgram, url: String) {
            let port = try QuietPort.choose()
            let folder = bed.folder.path
            try await Shell.run(
                "cat \"$1/est.pem\" \"$1/est.key\" > \"$2/gateway.pem\"; chmod 600 \"$2/gateway.pem\"",
                bed.pki,
                folder
            )
            try bed.adapt(
                "haproxy/haproxy.cfg",
                as: "haproxy.cfg",
                [
                    "/var/lib/muster-agent": bed.output,
                    "/etc/haproxy/muster": folder,
                    "bind :8443": "bind 127.0.0.1:\(port)",
                    "    server application 127.0.0.1:8080":
                        "    http-request return status 200 content-type text/plain lf-string \"%[req.hdr(X-Muster-Device)]\"",
                ]
            )
            let haproxy = try await BackgroundProgram([
                Self.program, "-W", "-f", folder + "/haproxy.cfg", "-p", folder + "/haproxy.pid",
            ])
            return (haproxy, "https://localhost:\(port)/")
        }

        @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: program), "haproxy is not installed"))
        func `HAProxy refuses a revoked device soon, and no other request fails meanwhile`() async throws {
            let bed = try await AgentBed()
            // Without the root's list, which HAProxy passes over.
            let reload = "reload:\n  command: [sh, -c, 'kill -USR2 $(cat \(bed.folder.path)/haproxy.pid)']"
            try bed.configure(reload, crlFiles: "[]")
            try await bed.prepare()
            let (haproxy, url) = try await Self.start(bed)
            let agent = try await bed.startAgent()
            let lost = try await SystemDevice(bed.document).enrolled()
            let kept = try await SystemDevice(bed.document).enrolled()
            try await Eventually.holds("HAProxy; its log: \(haproxy.log)") { try await bed.ask(url, as: kept) == "200" }
            #expect(try await bed.ask(url, as: lost) == "200")
            #expect(try await bed.body(url, as: kept) == kept.username)

            let steady = try await bed.askAlways(url, as: kept)
            try await Eventually.holds("requests") { steady.answers.count > 5 }
            try await bed.revoke(lost, "--reason", "keyCompromise")
            // It ends the handshake: curl has no status.
            try await Eventually.holds("the refusal") { try await bed.ask(url, as: lost) == "000" }
            let before = steady.answers.count
            try await Eventually.holds("further requests") { steady.answers.count > before + 5 }
            let answers = try await steady.stop()
            #expect(Set(answers) == ["200"], "\(haproxy.log.suffix(3_000))")
            #expect(try bed.status().faults.isEmpty)

            agent.signal(SIGTERM)
            #expect(try await agent.end(withinSeconds: 30) == 0, "\(agent.log.suffix(3_000))")
            haproxy.signal(SIGTERM)
            #expect(try await haproxy.end(withinSeconds: 30) != nil)
        }
    }
}
