import ArgumentParser
import Foundation
import TestPeers
import Testing

@testable import muster

/// `muster ca csr`, signed by openssl as the other CA, then `muster ca install`.
@Suite struct CARequestTests {
    @Test(arguments: CAKeyChoice.allCases)
    func `a request that openssl signs is installed`(kind: CAKeyChoice) async throws {
        let shop = try CAWorkshop()
        try await shop.makeRoot("root")
        let asked = try shop.request("--key", kind.rawValue)
        #expect(asked.contains("muster ca install --chain chain.pem --key '\(shop.path)/pki/issuing.key'"))
        #expect(try shop.mode("pki/issuing.key") == 0o600)
        let text = try await shop.openssl(
            "req",
            "-in",
            "pki/issuing.csr",
            "-verify",
            "-noout",
            "-text",
            "-nameopt",
            "RFC2253"
        )
        #expect(text.contains("Subject: CN=Acme Issuing CA,O=Acme\n"))
        #expect(text.contains("CA:TRUE, pathlen:0"))
        #expect(text.contains("Certificate Sign, CRL Sign"))

        try FileManager.default.copyItem(atPath: "\(shop.path)/pki/issuing.csr", toPath: "\(shop.path)/issuing.csr")
        try await shop.sign("issuing", by: "root")
        try shop.concatenate(["issuing", "root"])
        let report = try shop.install()
        #expect(report.contains("  - name: issuing\n    certificateFile: \(shop.path)/pki/issuing.pem\n"))
        #expect(try shop.text("pki/issuing.pem") == shop.text("chain.pem"))
        #expect(try shop.text("pki/truststore.pem") == shop.text("chain.pem"))
    }

    @Test func `openssl ca, with its own policy and the request's extensions, signs it as well`() async throws {
        let shop = try CAWorkshop()
        try await shop.makeRoot("root")
        try shop.request()
        try shop.folder.write("index.txt", [])
        try shop.folder.write("serial", "1000\n".utf8)
        let authority = """
            [ca]
            default_ca = offline
            [offline]
            database = index.txt
            serial = serial
            new_certs_dir = .
            default_md = sha384
            policy = any
            [any]
            organizationName = match
            commonName = supplied
            [v3]
            subjectKeyIdentifier = hash
            authorityKeyIdentifier = keyid:always
            basicConstraints = critical,CA:TRUE,pathlen:0
            keyUsage = critical,digitalSignature,keyCertSign,cRLSign
            """
        try shop.folder.write("ca.cnf", authority.utf8)
        try await shop.openssl(
            "ca",
            "-batch",
            "-config",
            "ca.cnf",
            "-cert",
            "root.pem",
            "-keyfile",
            "root.key",
            "-extensions",
            "v3",
            "-days",
            "365",
            "-in",
            "pki/issuing.csr",
            "-out",
            "issuing.pem"
        )
        try shop.concatenate(["issuing", "root"])
        try shop.install("--make-signer")
        #expect(
            try await shop.openssl("verify", "-x509_strict", "-CAfile", "root.pem", "pki/issuing.pem")
                == "pki/issuing.pem: OK\n"
        )
        #expect(shop.exists("pki/truststore-signer.key"))
    }

    @Test func `a certificate for another key is not installed`() async throws {
        let shop = try CAWorkshop()
        try await shop.makeRoot("root")
        try await shop.makeCA("issuing", under: "root")
        try shop.concatenate(["issuing", "root"])
        try shop.request()
        let refusal = #expect(throws: CARefusal.self) { try shop.install() }
        #expect(refusal?.description.contains("the private key does not belong to CN=issuing,O=Acme") == true)
        #expect(!shop.exists("pki/issuing.pem"))
    }

    @Test func `a key that exists is used where it is`() async throws {
        let shop = try CAWorkshop()
        try await shop.makeKey("mine")
        let report = try shop.request("--existing-key", "\(shop.path)/mine.key")
        #expect(report.contains("--key '\(shop.path)/mine.key'"))
        #expect(!shop.exists("pki/issuing.key"))
        let requested = try await shop.openssl("req", "-in", "pki/issuing.csr", "-noout", "-pubkey")
        #expect(try await shop.openssl("pkey", "-in", "mine.key", "-pubout") == requested)
    }

    @Test func `a new key is encrypted with the passphrase, and install opens it`() async throws {
        let shop = try CAWorkshop()
        try await shop.makeRoot("root")
        let secret = try shop.folder.write("passphrase", "correct horse\n".utf8)
        try shop.request("--passphrase-file", secret)
        #expect(try shop.text("pki/issuing.key").hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
        try FileManager.default.copyItem(atPath: "\(shop.path)/pki/issuing.csr", toPath: "\(shop.path)/issuing.csr")
        try await shop.sign("issuing", by: "root")
        try shop.concatenate(["issuing", "root"])
        #expect(throws: CARefusal.self) { try shop.install() }
        #expect(try shop.install("--passphrase-file", secret).contains("    passphraseFile: \(secret)"))
    }

    @Test func `a second request leaves the first key alone`() throws {
        let shop = try CAWorkshop()
        try shop.request()
        let key = try shop.text("pki/issuing.key")
        let refusal = #expect(throws: CARefusal.self) { try shop.request() }
        #expect(refusal?.problems.count == 2)
        #expect(try shop.text("pki/issuing.key") == key)
    }

    @Test func `a key to make and one to take exclude each other`() {
        do {
            _ = try CACSRCommand.parse([
                "--name", "n", "--organization", "o", "--out", "d", "--key", "p256", "--existing-key", "k",
            ])
            Issue.record("it was taken")
        } catch {
            #expect(CACSRCommand.exitCode(for: error) == ExitCode(64))
        }
    }

    @Test func `lines of configuration quote what YAML would misread`() {
        #expect(CAConfigurationLines.quoted("/etc/muster/issuing-1.pem") == "/etc/muster/issuing-1.pem")
        #expect(CAConfigurationLines.quoted("/my ca/#1: \"x\".pem") == "\"/my ca/#1: \\\"x\\\".pem\"")
        #expect(CAConfigurationLines.quoted("pkcs11:token=t;object=o") == "\"pkcs11:token=t;object=o\"")
    }
}
