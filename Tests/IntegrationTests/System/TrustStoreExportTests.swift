import TestPeers
import Testing

extension SystemTests {
    /// `muster truststore export`: a trust store as other servers take it.
    @Suite struct TrustStoreExportTests {
        @Test func `the file holds CA certificates only, issuing first and root last`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let file = try await Self.export(document)
            let lines = try await Shell.run(
                """
                cd "$1"; csplit -s -z -f part- trust.pem '/-----BEGIN CERTIFICATE-----/' '{*}'
                for part in part-*; do
                    openssl x509 -in $part -noout -ext basicConstraints | grep -q CA:TRUE
                    openssl x509 -in $part -noout -fingerprint -sha256
                done
                openssl x509 -in "$2" -noout -fingerprint -sha256
                openssl x509 -in "$3" -noout -fingerprint -sha256
                """,
                file.path,
                document.files.issuer,
                document.files.root
            ).split(separator: "\n")
            try #require(lines.count == 4)
            #expect(lines[0] == lines[2])
            #expect(lines[1] == lines[3])
        }

        @Test func `a fleet that does not exist, and a name that cannot be one, are refused`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            for name in ["nobody", "No Fleet"] {
                let result = try await Shell.muster(
                    "truststore",
                    "export",
                    "--database",
                    document.database,
                    "--fleet",
                    name
                )
                #expect(!result.succeeded)
                #expect(result.output.isEmpty)
                #expect(result.errorOutput.hasPrefix("muster: "))
                #expect(result.errorOutput.contains(name))
            }
        }

        @Test func `nginx with that file lets enrolled devices in and keeps IDevIDs out`() async throws {
            let (dev, document) = try await MusterDev.shared.running()
            let device = try await SystemDevice(document).enrolled()
            let folder = try await Self.export(document)
            try folder.write("nginx.conf", Self.settings(folder: folder.path, pki: dev.state + "/pki").utf8)
            let nginx = try await BackgroundProgram([
                "/usr/sbin/nginx", "-p", folder.path, "-e", "stderr", "-c", folder.path + "/nginx.conf",
            ])
            func status(_ certificate: String, _ key: String) async throws -> String {
                try await Program.run(
                    "curl",
                    [
                        "-sS", "--unix-socket", folder.path + "/nginx.sock", "--cacert", document.files.root,
                        "--cert", certificate, "--key", key, "-o", "/dev/null", "-w", "%{http_code}",
                        "https://localhost/",
                    ]
                ).text
            }
            try await Eventually.holds("nginx to let the device in: \(nginx.log)") {
                try await status(device.certificateFile, device.keyFile) == "204"
            }
            #expect(try await status(device.idevidFile, device.idevidKeyFile) == "400")
            nginx.signal(15)
            #expect(try await nginx.end(withinSeconds: 60) == 0)
        }

        private static func export(_ document: MusterDev.Document) async throws -> TemporaryDirectory {
            let folder = try TemporaryDirectory(prefix: "mexport")
            let result = try await Shell.muster(
                "truststore",
                "export",
                "--database",
                document.database,
                "--fleet",
                document.fleet,
                "--out",
                folder.path + "/trust.pem"
            )
            try #require(result.succeeded, "\(result.errorOutput)")
            return folder
        }

        private static func settings(folder: String, pki: String) -> String {
            """
            daemon off;
            master_process off;
            pid \(folder)/nginx.pid;
            events {}
            http {
                access_log off;
                client_body_temp_path \(folder)/t1; proxy_temp_path \(folder)/t2; fastcgi_temp_path \(folder)/t3;
                uwsgi_temp_path \(folder)/t4; scgi_temp_path \(folder)/t5;
                server {
                    listen unix:\(folder)/nginx.sock ssl;
                    ssl_certificate \(pki)/est.pem;
                    ssl_certificate_key \(pki)/est.key;
                    ssl_client_certificate \(folder)/trust.pem;
                    ssl_verify_client on;
                    ssl_verify_depth 3;
                    location / { return 204; }
                }
            }

            """
        }
    }
}
