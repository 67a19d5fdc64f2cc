import Foundation
import Glibc
import TestPeers
import Testing

extension SystemTests {
    /// The agent beside nginx, configured by `ops/nginx`.
    @Suite struct NginxTests {
        /// nginx with the ready configuration, in the bed's folder.
        static func start(
            _ bed: AgentBed
        ) async throws -> (nginx: BackgroundProgram, url: String, reload: String) {
            let ports = [try QuietPort.choose(), try QuietPort.choose()]
            let folder = bed.folder.path
            try bed.adapt(
                "nginx/muster.conf",
                as: "gateway.conf",
                [
                    "/var/lib/muster-agent": bed.output,
                    "/etc/nginx/muster/gateway.pem": bed.pki + "/est.pem",
                    "/etc/nginx/muster/gateway.key": bed.pki + "/est.key",
                    "listen 8443": "listen 127.0.0.1:\(ports[0])",
                    "127.0.0.1:8080": "127.0.0.1:\(ports[1])",
                ]
            )
            try bed.folder.write(
                "nginx.conf",
                """
                daemon off;
                pid \(folder)/nginx.pid;
                error_log stderr notice;
                worker_processes 1;
                events {}
                http {
                    access_log off;
                    client_body_temp_path \(folder)/body;
                    proxy_temp_path \(folder)/proxy;
                    fastcgi_temp_path \(folder)/fastcgi;
                    uwsgi_temp_path \(folder)/uwsgi;
                    scgi_temp_path \(folder)/scgi;
                    include \(folder)/gateway.conf;
                    server {
                        listen 127.0.0.1:\(ports[1]);
                        location / { return 200 "$http_x_muster_device\\n"; }
                    }
                }
                """.utf8
            )
            let command = ["/usr/sbin/nginx", "-c", folder + "/nginx.conf", "-p", folder]
            let nginx = try await BackgroundProgram(command)
            return (
                nginx, "https://localhost:\(ports[0])/",
                "[/usr/sbin/nginx, -c, \(folder)/nginx.conf, -p, \(folder), -s, reload]"
            )
        }

        @Test func `nginx refuses a revoked device soon, and no other request fails meanwhile`() async throws {
            let bed = try await AgentBed()
            try bed.configure("")
            try await bed.prepare()
            let (nginx, url, reload) = try await Self.start(bed)
            try bed.configure("reload:\n  command: \(reload)")
            let agent = try await bed.startAgent()
            let lost = try await SystemDevice(bed.document).enrolled()
            let kept = try await SystemDevice(bed.document).enrolled()
            try await Eventually.holds("nginx") { try await bed.ask(url, as: kept) == "200" }
            #expect(try await bed.ask(url, as: lost) == "200")
            #expect(try await bed.body(url, as: kept) == kept.username)

            let steady = try await bed.askAlways(url, as: kept)
            try await Eventually.holds("requests") { steady.answers.count > 5 }
            try await bed.revoke(lost, "--reason", "keyCompromise")
            // "400 The SSL certificate error" is nginx's answer to a certificate that does not verify.
            try await Eventually.holds("the refusal") { try await bed.ask(url, as: lost) == "400" }
            let before = steady.answers.count
            try await Eventually.holds("further requests") { steady.answers.count > before + 5 }
            let answers = try await steady.stop()
            #expect(Set(answers) == ["200"], "\(nginx.log.suffix(3_000))")
            #expect(try bed.status().faults.isEmpty)
            #expect(try bed.status().lists.count == 2)

            agent.signal(SIGTERM)
            #expect(try await agent.end(withinSeconds: 30) == 0, "\(agent.log.suffix(3_000))")
            nginx.signal(SIGTERM)
            #expect(try await nginx.end(withinSeconds: 30) == 0)
        }
    }
}
