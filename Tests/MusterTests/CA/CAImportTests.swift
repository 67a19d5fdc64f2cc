import ArgumentParser
import Foundation
import OpenSSL
import PKI
import TestPeers
import Testing

@testable import muster

/// `muster ca import` of what the openssl command line made.
@Suite struct CAImportTests {
    private func workshop(section: String = "v3_issuing", digest: String = "sha256") async throws -> CAWorkshop {
        let shop = try CAWorkshop()
        try await shop.makeRoot("root")
        try await shop.makeCA("issuing", under: "root", section: section, digest: digest)
        try shop.concatenate(["issuing", "root"])
        return shop
    }

    @Test func `a root and an intermediate made by openssl are taken, and the key stays where it is`() async throws {
        let shop = try await workshop()
        let report = try shop.take()
        #expect(try shop.text("pki/acme-1.pem") == shop.text("chain.pem"))
        #expect(try shop.text("pki/truststore.pem") == shop.text("chain.pem"))
        #expect(!shop.exists("pki/issuing.key"))
        #expect(
            report.contains(
                """
                issuers:
                  - name: acme-1
                    certificateFile: \(shop.path)/pki/acme-1.pem
                    keyFile: \(shop.path)/issuing.key
                """
            )
        )
        #expect(report.contains("trustStore wants a certificate"))
        #expect(
            try await shop.openssl("verify", "-x509_strict", "-CAfile", "pki/truststore.pem", "issuing.pem")
                == "issuing.pem: OK\n"
        )
        #expect(throws: CARefusal.self) { try shop.take() }
    }

    @Test func `texts before the certificates are left out of what is written`() async throws {
        let shop = try await workshop()
        let text = try await shop.openssl("x509", "-in", "issuing.pem", "-text")
        try shop.folder.write("chain.pem", (text + shop.text("root.pem")).utf8)
        try shop.take()
        #expect(try shop.text("pki/acme-1.pem") == shop.text("issuing.pem") + shop.text("root.pem"))
    }

    @Test func `a signer of trust stores, if asked for, is one that devices with the root believe`() async throws {
        let shop = try await workshop()
        let report = try shop.take("--make-signer")
        #expect(report.contains("  signerCertificateFile: \(shop.path)/pki/truststore-signer.pem\n"))
        #expect(try shop.mode("pki/truststore-signer.key") == 0o600)
        let said = try await shop.openssl(
            "verify",
            "-x509_strict",
            "-CAfile",
            "root.pem",
            "-untrusted",
            "pki/truststore-signer.pem",
            "pki/truststore-signer.pem"
        )
        #expect(said == "pki/truststore-signer.pem: OK\n")
        let subject = try await shop.openssl(
            "x509",
            "-in",
            "pki/truststore-signer.pem",
            "-noout",
            "-subject",
            "-nameopt",
            "RFC2253"
        )
        #expect(subject == "subject=CN=acme-1 Trust Store Signer,O=Acme\n")
        let key = try PrivateKeyLocation("\(shop.path)/pki/truststore-signer.key").open(passphrase: nil)
        let certificates = try CASigned.certificates(shop.text("pki/truststore-signer.pem"))
        #expect(certificates.count == 2)
        try CASigned.roundTrip(
            signer: TrustStoreSigner(key: key, chain: certificates),
            chain: CACertificateChain(pem: shop.text("chain.pem"), now: Date()),
            now: Date()
        )
    }

    @Test func `a chain in the wrong order is refused with the right order`() async throws {
        let shop = try await workshop()
        try shop.concatenate(["root", "issuing"])
        #expect(
            try shop.refusal() == [
                "chain.pem: CN=root,O=Acme is not followed by its issuer CN=root,O=Acme; order the file issuing CA first, root last"
            ]
        )
        #expect(!shop.exists("pki"))
    }

    @Test func `a chain without its root is refused with the root's name`() async throws {
        let shop = try await workshop()
        try shop.concatenate(["issuing"])
        #expect(
            try shop.refusal() == [
                "chain.pem: the chain ends before a root: CN=root,O=Acme is missing; add it at the end of the file"
            ]
        )
    }

    @Test func `a root of the same name with another key is refused`() async throws {
        let shop = try await workshop()
        try await shop.makeRoot("root")
        try shop.concatenate(["issuing", "root"])
        #expect(
            try shop.refusal() == [
                "chain.pem: the signature of CN=issuing,O=Acme does not verify under the certificate that follows it; "
                    + "that is another CA of the same name: give the one that signed it"
            ]
        )
    }

    @Test(arguments: [
        ("v3_without_crl_sign", "keyUsage lacks keyCertSign or cRLSign"),
        ("v3_leaf", "basicConstraints does not say CA:TRUE"),
        ("v3_without_key_identifier", "it has no subjectKeyIdentifier (RFC 5280 4.2.1.2)"),
    ])
    func `a certificate that cannot issue is refused with what it lacks`(section: String, why: String) async throws {
        let shop = try await workshop(section: section)
        #expect(
            try shop.refusal() == [
                "chain.pem: CN=issuing,O=Acme cannot issue: \(why); have it issued with basicConstraints=critical,CA:TRUE "
                    + "(pathlen, if any, not below the CAs under it), keyUsage=critical,keyCertSign,cRLSign and "
                    + "subjectKeyIdentifier=hash"
            ]
        )
    }

    @Test func `a CA below one that allows none is refused`() async throws {
        let shop = try await workshop()
        try await shop.makeCA("below", under: "issuing")
        try shop.concatenate(["below", "issuing", "root"])
        let lines = try shop.refusal(key: "below.key")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("CN=issuing,O=Acme cannot issue: its pathLenConstraint 0 is too small") == true)
    }

    @Test func `RSA certificates signed with SHA-1 are refused (K-05)`() async throws {
        let shop = try CAWorkshop()
        try await shop.openssl("genrsa", "-out", "root.key", "2048")
        try await shop.openssl(
            "req",
            "-x509",
            "-new",
            "-key",
            "root.key",
            "-sha256",
            "-days",
            "30",
            "-subj",
            "/O=Acme/CN=root",
            "-config",
            "openssl.cnf",
            "-extensions",
            "v3_ca",
            "-out",
            "root.pem"
        )
        try await shop.makeCA("issuing", under: "root", digest: "sha1")
        try shop.concatenate(["issuing", "root"])
        #expect(
            try shop.refusal() == [
                "chain.pem: CN=issuing,O=Acme is signed with SHA-1; SHA-256 or better is needed; have it signed again"
            ]
        )
    }

    @Test func `ECDSA certificates signed with SHA-1 are refused (K-05)`() async throws {
        let shop = try await workshop(digest: "sha1")
        let lines = try shop.refusal()
        #expect(lines.count == 1)
        #expect(
            lines.first?.hasPrefix("chain.pem: certificate 1 is not DER X.509, or has a key or signature of a kind")
                == true
        )
        #expect(lines.first?.hasSuffix("SHA-256 or better") == true)
    }

    @Test func `expired and not yet valid CAs are refused, each with its date`() async throws {
        let shop = try await workshop()
        let later = try shop.refusal(now: Date().addingTimeInterval(6 * 365 * 86_400))
        #expect(later.count == 1)
        #expect(later.first?.hasPrefix("chain.pem: CN=issuing,O=Acme expired at ") == true)
        let earlier = try shop.refusal(now: Date().addingTimeInterval(-7 * 86_400))
        #expect(earlier.first?.hasPrefix("chain.pem: CN=issuing,O=Acme is valid only from ") == true)
        #expect(!shop.exists("pki"))
    }

    @Test func `four CAs are taken, five are not`() async throws {
        let shop = try CAWorkshop()
        try await shop.makeRoot("root")
        var above = "root"
        for name in ["first", "second", "third"] {
            try await shop.makeCA(name, under: above, section: "v3_below_root")
            above = name
        }
        try await shop.makeCA("issuing", under: "third")
        try shop.concatenate(["issuing", "third", "second", "first", "root"])
        #expect(
            try shop.refusal() == [
                "chain.pem: it has 5 certificates; a chain has at most 4; take an issuing CA that is nearer to its root"
            ]
        )
        try shop.concatenate(["third", "second", "first", "root"])
        #expect(try shop.refusal(key: "third.key") == [])
    }

    @Test func `another CA's key is refused, and if it is one of the chain's it is named`() async throws {
        let shop = try await workshop()
        try await shop.makeKey("foreign")
        let start = "the private key does not belong to CN=issuing,O=Acme, the first certificate of chain.pem"
        #expect(
            try shop.refusal(key: "foreign.key") == ["foreign.key: \(start); give that CA's own key with --key"]
        )
        #expect(
            try shop.refusal(key: "root.key") == [
                "root.key: \(start) (it is the key of CN=root,O=Acme); give that CA's own key with --key"
            ]
        )
    }

    @Test func `what is wrong with chain and key is said at once`() async throws {
        let shop = try await workshop()
        try shop.concatenate(["issuing"])
        try shop.chmod("issuing.key", 0o640)
        let lines = try shop.refusal()
        #expect(lines.count == 2)
        #expect(
            lines.last
                == "the private key's secret: issuing.key has mode 0640, so others may read it; run: chmod 600 'issuing.key'"
        )
    }

    @Test func `files that hold no chain are refused in words`() async throws {
        let shop = try await workshop()
        #expect(
            try shop.refusal(chain: "nowhere.pem") == [
                "nowhere.pem cannot be read; --chain takes a PEM file: issuing CA first, root last"
            ]
        )
        #expect(
            try shop.refusal(chain: "issuing.key").first?.hasPrefix("issuing.key: there is no certificate in it; ")
                == true
        )
        try await shop.openssl("x509", "-in", "issuing.pem", "-outform", "DER", "-out", "issuing.der")
        #expect(try shop.refusal(chain: "issuing.der").count == 1)
        try shop.folder.write("large.pem", [UInt8](repeating: 0x20, count: (1 << 20) + 1))
        #expect(try shop.refusal(chain: "large.pem").first?.contains("has more than 1048576 octets") == true)
    }

    @Test func `an encrypted key is taken with its passphrase, and refused without`() async throws {
        let shop = try await workshop()
        try await shop.openssl(
            "pkcs8",
            "-topk8",
            "-in",
            "issuing.key",
            "-passout",
            "pass:correct horse",
            "-out",
            "sealed.key"
        )
        try shop.chmod("sealed.key", 0o600)
        let bare = try shop.refusal(key: "sealed.key")
        #expect(bare.first?.hasSuffix("; name a file (mode 0600) that holds it with --passphrase-file") == true)
        let wrong = try shop.folder.write("wrong", "battery staple\n".utf8)
        let refusal = #expect(throws: CARefusal.self) { try shop.take("--passphrase-file", wrong, key: "sealed.key") }
        #expect(refusal?.description.contains("the passphrase does not open it") == true)
        #expect(refusal?.description.contains("battery") == false)
        let right = try shop.folder.write("right", "correct horse\n".utf8)
        let report = try shop.take("--passphrase-file", right, "--make-signer", key: "sealed.key")
        #expect(report.contains("    passphraseFile: \(right)"))
        #expect(try shop.text("pki/truststore-signer.key").hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
    }

    @Test func `a PKCS#11 URI with the PIN in it is refused, and the PIN is not repeated`() async throws {
        let shop = try await workshop()
        let lines = try shop.refusal(key: "pkcs11:token=muster;object=ca?pin-value=648219")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("pin-source") == true)
        #expect(lines.first?.contains("648219") == false)
    }

    @Test func `a root alone is taken, with a word about its key`() async throws {
        let shop = try await workshop()
        let report = try shop.take(chain: "root.pem", key: "root.key")
        #expect(report.contains("so the root's key is to be online"))
    }

    @Test(arguments: ["", "Issuing", "a b", "../up", "truststore", "root", "-x", String(repeating: "n", count: 41)])
    func `a name that cannot be an issuer's ends with status 64`(name: String) {
        do {
            _ = try CAImportCommand.parse(["--chain", "c", "--key", "k", "--out", "o", "--name=\(name)"])
            Issue.record("it was taken")
        } catch {
            #expect(CAImportCommand.exitCode(for: error) == ExitCode(64))
        }
    }
}
