import ArgumentParser
import Foundation
import OpenSSL
import PKI
import TestPeers
import Testing

@testable import muster

/// `muster ca init`, looked over by openssl.
@Suite struct CAInitTests {
    static let keys = ["root.key", "issuing.key", "truststore-signer.key"]
    static let certificates = ["root.pem", "issuing.pem", "truststore-signer.pem", "truststore.pem"]

    @Test(arguments: CAKeyChoice.allCases)
    func `openssl accepts issuing CA and signer under the root, strictly`(kind: CAKeyChoice) async throws {
        let shop = try CAWorkshop()
        try shop.initialize("--key", kind.rawValue, "--name", "Acme", "--organization", "Acme Meters Ltd")
        for name in ["root", "issuing", "truststore-signer"] {
            let said = try await shop.openssl("verify", "-x509_strict", "-CAfile", "pki/root.pem", "pki/\(name).pem")
            #expect(said == "pki/\(name).pem: OK\n")
            let certified = try await shop.openssl("x509", "-in", "pki/\(name).pem", "-noout", "-pubkey")
            #expect(try await shop.openssl("pkey", "-in", "pki/\(name).key", "-pubout") == certified)
        }
        let subject = try await shop.openssl(
            "x509",
            "-in",
            "pki/issuing.pem",
            "-noout",
            "-subject",
            "-nameopt",
            "RFC2253"
        )
        #expect(subject == "subject=CN=Acme Issuing CA,O=Acme Meters Ltd\n")
    }

    @Test func `the extensions are those of a root, an issuing CA and a signer (X-07, X-08)`() async throws {
        let shop = try CAWorkshop()
        try shop.initialize()
        func extensions(_ name: String) async throws -> String {
            try await shop.openssl("x509", "-in", "pki/\(name).pem", "-noout", "-ext", "basicConstraints,keyUsage")
        }
        let authority = "X509v3 Key Usage: critical\n    Certificate Sign, CRL Sign\n"
        #expect(try await extensions("root") == "X509v3 Basic Constraints: critical\n    CA:TRUE\n" + authority)
        #expect(
            try await extensions("issuing") == "X509v3 Basic Constraints: critical\n    CA:TRUE, pathlen:0\n"
                + authority
        )
        #expect(try await extensions("truststore-signer") == "X509v3 Key Usage: critical\n    Digital Signature\n")
    }

    @Test func `keys are their owner's alone, certificates are for all`() throws {
        let shop = try CAWorkshop()
        try shop.initialize()
        for name in Self.keys { #expect(try shop.mode("pki/\(name)") == 0o600) }
        for name in Self.certificates { #expect(try shop.mode("pki/\(name)") == 0o644) }
        #expect(try shop.mode("pki") == 0o700)
    }

    @Test func `issuing and truststore files hold the issuing CA, then the root, and import takes them`() throws {
        let shop = try CAWorkshop()
        try shop.initialize()
        let root = try shop.text("pki/root.pem")
        let issuing = try shop.text("pki/issuing.pem")
        #expect(try shop.text("pki/truststore.pem") == issuing)
        #expect(issuing.hasSuffix(root))
        #expect(issuing.split(separator: "-----BEGIN CERTIFICATE-----").count == 2)
        try shop.initialize(out: "other")
        let report = try CAImportCommand.parse([
            "--chain", "\(shop.path)/pki/issuing.pem", "--key", "\(shop.path)/pki/issuing.key", "--name", "issuing-1",
            "--out", "\(shop.path)/again",
        ]).act(now: Date())
        #expect(report.contains("    keyFile: \(shop.path)/pki/issuing.key\n"))
        #expect(try shop.text("again/issuing-1.pem") == issuing)
    }

    @Test func `the report has the lines of configuration and tells to move the root's key`() throws {
        let shop = try CAWorkshop()
        let report = try shop.initialize()
        let pki = "\(shop.path)/pki"
        #expect(
            report.contains(
                """
                issuers:
                  - name: issuing
                    certificateFile: \(pki)/issuing.pem
                    keyFile: \(pki)/issuing.key
                trustStore:
                  signerCertificateFile: \(pki)/truststore-signer.pem
                  signerKeyFile: \(pki)/truststore-signer.key

                """
            )
        )
        #expect(report.contains("move \(pki)/root.key to a medium that is kept offline"))
        #expect(!report.contains("PRIVATE KEY"))
    }

    @Test func `nothing is overwritten: every file in the way is named, and nothing else is made`() throws {
        let shop = try CAWorkshop()
        try shop.initialize()
        let before = try (Self.keys + Self.certificates).map { try shop.text("pki/\($0)") }
        let refusal = #expect(throws: CARefusal.self) { try shop.initialize() }
        #expect(refusal?.problems.count == 7)
        #expect(
            refusal?.problems.contains(
                "\(shop.path)/pki/root.key is there already, and nothing is overwritten; "
                    + "give another folder with --out, or move that file away"
            ) == true
        )
        #expect(try (Self.keys + Self.certificates).map { try shop.text("pki/\($0)") } == before)

        try FileManager.default.createDirectory(atPath: "\(shop.path)/second", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(
            atPath: "\(shop.path)/second/issuing.key",
            withDestinationPath: "\(shop.path)/elsewhere"
        )
        #expect(throws: CARefusal.self) { try shop.initialize(out: "second") }
        #expect(!shop.exists("elsewhere"))
        #expect(!shop.exists("second/root.key"))
    }

    @Test func `a folder that cannot be is refused in words`() throws {
        let shop = try CAWorkshop()
        try shop.folder.write("pki", "a file".utf8)
        let refusal = #expect(throws: CARefusal.self) { try shop.initialize() }
        #expect(
            refusal?.problems == [
                "\(shop.path)/pki: the folder cannot be made; check --out, and that this user may write there"
            ]
        )
    }

    @Test func `if one file cannot be written, those before it are taken back`() throws {
        let shop = try CAWorkshop()
        let folder = CAFolder("\(shop.path)/pki")
        let refusal = #expect(throws: CARefusal.self) {
            try folder.write([.secret("root.key", [1, 2, 3]), .open("missing/root.pem", "text")])
        }
        #expect(
            refusal?.problems == [
                "\(shop.path)/pki/missing/root.pem cannot be written: No such file or directory; nothing was left behind"
            ]
        )
        #expect(!shop.exists("pki/root.key"))
    }

    @Test func `a refusal ends the command with status 1`() throws {
        let shop = try CAWorkshop()
        try shop.initialize()
        let again = try CAInitCommand.parse(["--out", "\(shop.path)/pki"])
        #expect(throws: ExitCode(1)) { try again.run() }
    }

    @Test func `with a passphrase file every key is encrypted, and opens with its first line alone`() async throws {
        let shop = try CAWorkshop()
        let secret = try shop.folder.write("passphrase", "correct horse\nsecond line\n".utf8)
        let report = try shop.initialize("--passphrase-file", secret)
        #expect(report.contains("    passphraseFile: \(secret)\n"))
        #expect(report.contains("  passphraseFile: \(secret)\n"))
        for name in Self.keys {
            #expect(try shop.text("pki/\(name)").hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
            try await shop.openssl("pkey", "-in", "pki/\(name)", "-passin", "pass:correct horse", "-noout")
            await #expect(throws: CAWorkshop.Failure.self) {
                try await shop.openssl("pkey", "-in", "pki/\(name)", "-passin", "pass:wrong", "-noout")
            }
        }
    }

    @Test func `a passphrase file that others may read, or that is empty, is refused, and nothing is made`() throws {
        let shop = try CAWorkshop()
        let shared = try shop.folder.write("shared", "secret\n".utf8, mode: 0o644)
        let empty = try shop.folder.write("empty", "\n".utf8)
        let first = #expect(throws: CARefusal.self) { try shop.initialize("--passphrase-file", shared) }
        #expect(
            first?.problems == [
                "--passphrase-file: \(shared) has mode 0644, so others may read it; run: chmod 600 '\(shared)'"
            ]
        )
        let second = #expect(throws: CARefusal.self) { try shop.initialize("--passphrase-file", empty) }
        #expect(second?.problems.first?.contains("must be a passphrase of 1 to 1024 octets") == true)
        #expect(!shop.exists("pki"))
    }

    @Test func `a trust store signed by the signer verifies under the root`() throws {
        let shop = try CAWorkshop()
        try shop.initialize()
        let now = Date()
        let chain = try CACertificateChain(pem: shop.text("pki/issuing.pem"), now: now)
        let key = try PrivateKeyLocation("\(shop.path)/pki/truststore-signer.key").open(passphrase: nil)
        let certificate = try CASigned.certificates(shop.text("pki/truststore-signer.pem"))
        try CASigned.roundTrip(signer: TrustStoreSigner(key: key, chain: certificate), chain: chain, now: now)
    }

    @Test(arguments: [
        ["--out", "x", "--key", "rsa1024"], ["--out", "x", "--name", ""], ["--out", "x", "--name", "a\nb"],
        ["--out", "x", "--name", String(repeating: "n", count: 46)], ["--out", "x", "--organization", " Acme"], [],
    ])
    func `wrong usage ends with status 64`(arguments: [String]) {
        do {
            _ = try CAInitCommand.parse(arguments)
            Issue.record("it was taken")
        } catch {
            #expect(CAInitCommand.exitCode(for: error) == ExitCode(64))
        }
    }
}
