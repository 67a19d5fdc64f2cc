import Foundation
import TestPeers
import Testing

extension SystemTests {
    struct FirstOperatorTests {
        @Test func `who has neither CA nor admin makes both, and the first admin adds the next`() async throws {
            let (dev, _) = try await MusterDev.shared.running()
            let folder = try TemporaryDirectory(prefix: "mfirst")
            let made = folder.path + "/operators"
            let initialized = try await Shell.muster(
                "operator",
                "init",
                "--out",
                made,
                "--host",
                "localhost",
                "--host",
                "127.0.0.1"
            )
            #expect(initialized.succeeded, "\(initialized.errorOutput)")
            #expect(initialized.text.contains("caKeyFile: \(made)/operator-ca.key"))
            let names = try await Shell.run(
                "openssl x509 -in \"$1/operator-front.pem\" -noout -ext subjectAltName",
                made
            )
            #expect(names.contains("DNS:localhost, IP Address:127.0.0.1"))
            let sets = [
                "operator.certificateFile=\(made)/operator-front.pem", "operator.keyFile=\(made)/operator-front.key",
                "operator.caCertificateFile=\(made)/operator-ca.pem", "operator.caKeyFile=\(made)/operator-ca.key",
            ].flatMap { ["--set", $0] }
            let config = dev.state + "/muster.yaml"
            let replica = try await ServeTests.Replica(config: config, options: sets)
            let port = try #require(replica.program.log.firstMatch(of: /"operator":"(\d+)"/)?.1)

            let name = "first-\(UInt32.random(in: 0 ... .max))"
            let own = folder.path + "/" + name
            let first = try await Program.run(
                MusterDev.executable("muster"),
                ["operator", "first", name, "--config", config, "--out", own, "--url", "https://localhost:\(port)"]
                    + sets
            )
            #expect(first.succeeded, "\(first.errorOutput)")
            let profile = own + "/\(name).yaml"
            #expect(
                try await Shell.muster("operator", "self", "--profile", profile).text
                    == "\(name), admin, by certificate\n"
            )
            let next = "next-\(name)"
            let added = try await Shell.muster(
                "operator",
                "add",
                next,
                "--role",
                "operator",
                "--out",
                own + "/next",
                "--profile",
                profile,
                "--json"
            )
            #expect(added.text.contains("BEGIN CERTIFICATE"))
            let seen = try await Shell.muster("operator", "self", "--profile", own + "/next/\(next).yaml")
            #expect(seen.text == "\(next), operator, by certificate\n")
            let audit = try await Shell.muster(
                "audit",
                "list",
                "--profile",
                profile,
                "--subject",
                "operator \(next)",
                "--json"
            )
            #expect(audit.text.contains("operator \(name)"))
            replica.program.signal(SIGTERM)
            #expect(try await replica.program.end(withinSeconds: 60) == 0)
        }
    }
}
