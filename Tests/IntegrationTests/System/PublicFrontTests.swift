import TestPeers
import Testing

extension SystemTests {
    /// The public front: plain HTTP.
    @Suite struct PublicFrontTests {
        @Test func `it says that it is alive and ready`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let health = try await Shell.run("curl -sSf \"$1/healthz\"", document.urls.public)
            #expect(health == "ok")
            let ready = try await Shell.run("curl -sSf \"$1/readyz\"", document.urls.public)
            #expect(ready.contains("database: ok"))
        }

        // RFC 5280 section 4.2.2.1: id-ad-caIssuers points to one DER certificate, application/pkix-cert.
        @Test func `the address in an issued certificate leads to its issuer`() async throws {
            let (_, document) = try await MusterDev.shared.running()
            let device = try await SystemDevice(document).enrolled()
            let answer = try await Shell.run(
                """
                url=$(openssl x509 -in "$1" -noout -ext authorityInfoAccess | sed -n 's/.*CA Issuers - URI://p')
                curl -sSf "$url" -w '%{stderr}%{content_type}' 2>&1 >/dev/null
                curl -sSf "$url" | openssl x509 -inform DER -noout -fingerprint -sha256
                openssl x509 -in "$2" -noout -fingerprint -sha256
                """,
                device.certificateFile,
                document.files.issuer
            )
            let lines = answer.replacing("application/pkix-cert", with: "application/pkix-cert\n").split(
                separator: "\n"
            )
            try #require(lines.count == 3, "\(answer)")
            #expect(lines[0] == "application/pkix-cert")
            #expect(lines[1] == lines[2])
        }

        @Test(arguments: ["/ca/nobody.cer", "/ca/dev", "/ca/..%2fdev.cer", "/", "/.well-known/est/demo/cacerts"])
        func `what is not there is not found`(path: String) async throws {
            let (_, document) = try await MusterDev.shared.running()
            let status = try await Shell.run(
                "curl -sS --path-as-is -o /dev/null -w '%{http_code}' \"$1\"",
                document.urls.public + path
            )
            #expect(status == "404")
        }
    }
}
