import Foundation
import Testing

@testable import muster

/// Secrets are given by file alone, and never come out in a text.
@Suite struct ConfigurationSecretTests {
    /// A secret that no text may contain.
    static let secret = "hunter2"

    @Test(arguments: [
        "postgresql://muster:hunter2@db/muster", "postgres://muster:hun%40hunter2@db,db2:1/muster",
        "postgresql://muster:hu@hunter2@db/muster", "postgresql://muster:a/hunter2@db/muster",
        "postgresql://db/muster?password=hunter2", "postgresql://db/muster?user=a&pass%77ord=hunter2",
        "postgresql://db/muster?sslpassword=hunter2", "host=db password=hunter2", "host=db password = 'hunter2 x'",
        "host='a b' PASSWORD=hunter2", "host=a\\ b password=hunter2",
    ])
    func `a password in the database URL is refused and not repeated`(_ url: String) throws {
        let folder = try ConfigurationFolder(leastYAML)
        let problems = folder.problems([:], ["database.url=\(url)"])
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("--set 1: database.url: holds ") == true, "\(problems)")
        #expect(!problems.joined().contains(Self.secret))
    }

    @Test(arguments: [
        "postgresql://muster@db/muster", "postgresql:///muster?host=/run/postgresql",
        "postgres://a@[::1]:5432,b/m?sslmode=verify-full",
        "dbname=muster", "host = 'it\\'s' user=password", "postgresql://db:5432/muster?passfile=/p",
    ])
    func `connection strings without a password are taken as they are`(_ url: String) throws {
        let folder = try ConfigurationFolder(leastYAML)
        #expect(try folder.load([:], ["database.url=\(url)"]).database.address.description == url)
    }

    @Test(arguments: [
        (
            "  url: postgresql://muster@db.example/muster", "  url: dbname=m\n  password: hunter2",
            "3:3: database.password: is not written here; put it in a file and name that with database.passwordFile"
        ),
        (
            "    keyFile: issuing-1.key", "    keyFile: k\n    passphrase: hunter2",
            "10:5: issuers.0.passphrase: is not written here; put it in a file and name that with issuers.0.passphraseFile"
        ),
        (
            "  keyFile: est.key", "  key: |\n    -----BEGIN PRIVATE KEY-----\n    hunter2",
            "5:3: est.key: is not written here; put it in a file and name that with est.keyFile"
        ),
        (
            "  keyFile: est.key", "  keyFile: |\n    -----BEGIN PRIVATE KEY-----\n    hunter2",
            "5:3: est.keyFile: holds PEM text itself"
        ),
        (
            "issuing-1.key", "pkcs11:object=a?pin-value=hunter2",
            "9:5: issuers.0.keyFile: holds a PIN (pin-value); put it in a file that passphraseFile names"
        ),
        ("issuing-1.key", "pkcs11:object=a?PIN%2dvalue=hunter2", "9:5: issuers.0.keyFile: holds a PIN"),
        ("signer.key", "pkcs11:hunter2", "12:3: trustStore.signerKeyFile: is not a PKCS #11 URI"),
        ("url: postgresql://muster@db.example/muster", "url: hunter2", "2:3: database.url: is not a connection string"),
        (
            "trustStore:", "public: {url: \"http://a:hunter2@b\"}\ntrustStore:",
            "10:10: public.url: holds a user or password"
        ),
        ("trustStore:", "postgresql://a:hunter2@b: 1\ntrustStore:", "10:1: a key here is not a name"),
        ("trustStore:", "hush: {hush: hunter2}\ntrustStore:", "10:1: hush: unknown key"),
        ("trustStore:", "password: \"hunter2\ntrustStore:", "is not YAML here"),
        ("trustStore:", "password: hunter2: x\ntrustStore:", "10:18: is not YAML here"),
        ("  keyFile: est.key", "  keyFile: \"est\\e[2Jhunter2\"", "5:3: est.keyFile: is not a path"),
    ])
    func `secrets in the file are refused and not repeated`(_ old: String, _ new: String, _ expected: String) throws {
        let problems = try ConfigurationFolder(yaml(old, new)).problems()
        #expect(problems.contains { $0.contains(expected) }, "\(problems)")
        #expect(!problems.joined().contains(Self.secret), "\(problems)")
    }

    @Test func `secrets in the environment and on the command line are refused and not repeated`() throws {
        let folder = try ConfigurationFolder(leastYAML)
        let problems = folder.problems(
            ["MUSTER_DATABASE_PASSWORD": Self.secret, "MUSTER_ISSUERS_0_PASSPHRASE": Self.secret],
            ["database.password=hunter2", "postgres://a:hunter2@b/c?d=e", "password hunter2", "hunter2=="]
        )
        #expect(
            problems == [
                "MUSTER_DATABASE_PASSWORD: is not given here; put it in a file and name that with MUSTER_DATABASE_PASSWORD_FILE",
                "MUSTER_ISSUERS_0_PASSPHRASE: is not given here; put it in a file and name that with MUSTER_ISSUERS_0_PASSPHRASE_FILE",
                "--set 1: database.password: is not written here; put it in a file and name that with database.passwordFile",
                "--set 2: does not begin with a key; write --set est.listen=0.0.0.0:8443",
                "--set 3: has no =; write --set est.listen=0.0.0.0:8443",
                "--set 4: does not begin with a key; write --set est.listen=0.0.0.0:8443",
            ]
        )
    }

    @Test func `a wrong value that is shown has its control characters and its length cut`() throws {
        let folder = try ConfigurationFolder(leastYAML)
        let problems = folder.problems([:], ["log.level=\u{1B}[2J\u{7}" + String(repeating: "x", count: 99)])
        #expect(problems.count == 1)
        #expect(problems.first?.contains("\"?[2J?\(String(repeating: "x", count: 35))\" is not") == true, "\(problems)")
    }
}
