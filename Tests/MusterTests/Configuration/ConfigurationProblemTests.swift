import Foundation
import Testing

@testable import muster

/// What is said of a wrong configuration, and where.
@Suite struct ConfigurationProblemTests {
    @Test func `a misspelled key is told with its line and the key that was meant`() throws {
        let folder = try ConfigurationFolder(yaml("  keyFile: est.key", "  keyFile: est.key\n  listn: 0.0.0.0:1"))
        #expect(folder.problems() == ["muster.yaml:6:3: est.listn: unknown key; did you mean est.listen?"])
    }

    @Test(arguments: [
        ("est_: {}", "13:1: est_: unknown key; did you mean est?"),
        ("databse:\n  url: x", "13:1: databse: unknown key; did you mean database?"),
        ("log:\n  Level: info", "14:3: log.Level: unknown key; did you mean log.level?"),
        ("log:\n  grace_seconds: 1", "14:3: log.grace_seconds: unknown key; did you mean shutdown.graceSeconds?"),
        ("defaultFleet: meters", "13:1: defaultFleet: unknown key; did you mean est.defaultFleet?"),
        ("zebra: 1", "13:1: zebra: unknown key; `muster config example` lists those there are"),
        ("log.level: info", "13:1: log.level: write it without dots"),
        ("log: info", "13:6: log: is a section"),
        ("log:\n  level: [info]", "14:3: log.level: takes one value"),
        ("log:\n  level:", "14:3: log.level: has no value"),
        ("log:\n  level: ''", "14:3: log.level: is empty; give trace"),
        (
            "log:\n  level: loud",
            "14:3: log.level: \"loud\" is not trace, debug, info, notice, warning, error or critical"
        ),
        ("log:\n  format: xml", "14:3: log.format: \"xml\" is not json or text"),
        ("? [a]\n: b", "13:3: a key here is not a name"),
        ("public:\n  listen: 8080", "14:3: public.listen: \"8080\" is not host:port or [IPv6 address]:port"),
        ("public:\n  listen: '::1:8080'", "14:3: public.listen: \"::1:8080\" is not host:port"),
        ("public:\n  listen: 256.0.0.1:80", "14:3: public.listen: \"256.0.0.1:80\" is not host:port"),
        ("public:\n  listen: a:65536", "14:3: public.listen: \"a:65536\" is not host:port"),
        ("public:\n  url: pki.example.com", "14:3: public.url: does not start with http:// or https://"),
        ("public:\n  url: 'http://a/?b'", "14:3: public.url: may not have spaces, a query or a fragment"),
        ("public:\n  url: 'http:///a'", "14:3: public.url: has no valid host"),
        (
            "limits:\n  requestBodyBytesMax: 0x100000",
            "14:3: limits.requestBodyBytesMax: \"0x100000\" is not a whole number"
        ),
        (
            "limits:\n  commitQueueMax: -1",
            "14:3: limits.commitQueueMax: \"-1\" is not a whole number from 1 to 1000000"
        ),
        ("shutdown:\n  graceSeconds: 10s", "14:3: shutdown.graceSeconds: \"10s\" is not a whole number of seconds"),
    ])
    func `each kind of mistake is told with its line and what would be right`(_ text: String, _ expected: String) throws
    {
        let problems = try ConfigurationFolder(yaml(adding: text + "\n")).problems()
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("muster.yaml:\(expected)") == true, "\(problems)")
    }

    @Test(arguments: [
        ("est.key", "~/est.key", "5:3: est.keyFile: starts with ~"),
        ("est.key", "pkcs11:object=a", "5:3: est.keyFile: is a PKCS #11 URI; the TLS key must be a PEM file"),
        ("issuing-1.key", "'pkcs11:'", "9:5: issuers.0.keyFile: is not a PKCS #11 URI"),
        ("name: issuing-1", "name: Issuing", "7:5: issuers.0.name: \"Issuing\" is not 1 to 40 of a-z, 0-9 and -"),
        ("name: issuing-1", "nam: issuing-1", "7:5: issuers.0.nam: unknown key; did you mean issuers.0.name?"),
        (
            "  keyFile: est.key", "  keyFile: est.key\n  tlsVersionMin: 1.1",
            "6:3: est.tlsVersionMin: \"1.1\" is not 1.2 or 1.3"
        ),
        (
            "  keyFile: est.key", "  keyFile: est.key\n  lenientBodies: yes",
            "6:3: est.lenientBodies: \"yes\" is not true or false"
        ),
        ("postgresql://muster@db.example/muster", "muster", "2:3: database.url: is not a connection string"),
        ("postgresql://muster@db.example/muster", "host='db", "2:3: database.url: is not a connection string"),
    ])
    func `mistakes in keys that must be there are told too`(_ old: String, _ new: String, _ expected: String) throws {
        let text = leastYAML.replacing(old, with: new, maxReplacements: 1)
        let problems = try ConfigurationFolder(text).problems()
        #expect(problems.contains { $0.hasPrefix("muster.yaml:\(expected)") }, "\(problems)")
    }

    @Test func `a missing key is told at its section, with its variable and an example`() throws {
        #expect(
            try ConfigurationFolder(yaml("  keyFile: est.key\n", "")).problems() == [
                "muster.yaml:3:1: est.keyFile: is missing; set it (or MUSTER_EST_KEY_FILE), "
                    + "for example to /etc/muster/est.key"
            ]
        )
        #expect(
            try ConfigurationFolder(yaml("    keyFile: issuing-1.key\n", "")).problems() == [
                "muster.yaml:7:5: issuers.0.keyFile: is missing; set it (or MUSTER_ISSUERS_0_KEY_FILE), "
                    + "for example to /etc/muster/issuing-1.key"
            ]
        )
    }

    @Test func `an empty file lacks every required key and says so of the file`() throws {
        for text in ["", "# nothing\n", "---\n", "~\n"] {
            let problems = try ConfigurationFolder(text).problems()
            #expect(problems.count == 6)
            #expect(problems.allSatisfy { $0.hasPrefix("muster.yaml: ") && $0.contains("is missing") })
            #expect(problems.contains { $0.hasPrefix("muster.yaml: issuers: is missing; list at least one") })
        }
    }

    @Test(arguments: [
        ("issuers:", "6:1: issuers: is missing; list at least one"),
        ("issuers: []", "6:1: issuers: is missing; list at least one"),
        ("issuers:\n  name: a", "7:3: issuers: is a list: begin each entry with `- `"),
        ("issuers:\n  - a", "7:5: issuers.0: is a section: put keys below it"),
    ])
    func `a list of issuers that is none is told at its line`(_ list: String, _ expected: String) throws {
        let text = leastYAML.replacing(/(?s)issuers:.*trustStore:/, with: list + "\ntrustStore:")
        let problems = try ConfigurationFolder(text).problems()
        #expect(problems.first?.hasPrefix("muster.yaml:\(expected)") == true, "\(problems)")
        #expect(problems.filter { $0.contains(" issuers: ") }.count <= 1)
    }

    @Test func `an incomplete broker is told with the key that calls for the rest`() throws {
        let problems = try ConfigurationFolder(yaml(adding: "mqtt:\n  port: 1883\n")).problems()
        #expect(problems.count == 4)
        #expect(
            problems.first?.hasPrefix(
                "muster.yaml:13:1: mqtt.caFile: is missing, though mqtt.port is set: complete the section or leave it out"
            ) == true
        )
    }

    @Test func `a key that is set twice is told at the first place with the line of the second, and all else too`()
        throws
    {
        let text = yaml(adding: "log:\n  level: info\n  \"level\": debug\n  format: xml\nlog:\n  levl: info\n")
        #expect(
            try ConfigurationFolder(text).problems() == [
                "muster.yaml:13:1: log: is set again on line 17; keep one",
                "muster.yaml:18:3: log.levl: unknown key; did you mean log.level?",
            ]
        )
        let nested = yaml(adding: "log:\n  level: info\n  \"level\": debug\n  level: trace\n  format: xml\n")
        #expect(
            try ConfigurationFolder(nested).problems() == [
                "muster.yaml:14:3: log.level: is set again on line 16; keep one",
                "muster.yaml:15:3: log.level: is set again on line 16; keep one",
                "muster.yaml:17:3: log.format: \"xml\" is not json or text",
            ]
        )
    }

    @Test(arguments: [
        ("est: [", "is not YAML here"), ("a: b: c", "muster.yaml:1:5: is not YAML here"),
        ("\tx: 1", "muster.yaml:1:1: "),
        ("- a\n- b\n", "muster.yaml:1:1: the file must consist of sections"),
        ("text", "muster.yaml:1:1: the file must"),
        ("a: 1\n---\nb: 1\n", "but found another document"), ("a: *b\n", "undefined alias"),
    ])
    func `what is not a YAML mapping is told with its place`(_ text: String, _ expected: String) throws {
        let problems = try ConfigurationFolder(text).problems()
        #expect(problems.contains { $0.contains(expected) }, "\(problems)")
    }

    @Test func `a file that is not YAML hides nothing that is wrong outside of it`() throws {
        let problems = try ConfigurationFolder("a: b: c").problems(["MUSTER_LOG_LEVL": "x"], ["zebra.z=1"])
        #expect(problems.count == 3)
        #expect(problems.last?.hasPrefix("--set 1: zebra.z: unknown key") == true)
    }

    @Test func `a file that cannot be read is told in one line`() throws {
        let folder = try ConfigurationFolder("")
        func problem(_ file: String) -> String? {
            do {
                _ = try ServerConfiguration.load(file: file, environment: [:], overrides: [])
                return nil
            } catch { return error.description }
        }
        #expect(problem("/no/such.yaml")?.hasPrefix("/no/such.yaml: there is no such file") == true)
        #expect(problem(folder.path) == "\(folder.path): is a folder; name the file in it")
        try Data([0xFF, 0xFE]).write(to: URL(fileURLWithPath: folder.file))
        #expect(problem(folder.file) == "\(folder.file): is not UTF-8 text")
        try Data(repeating: 0x23, count: ConfigurationFile.bytesMax + 1).write(to: URL(fileURLWithPath: folder.file))
        #expect(problem(folder.file)?.contains("is larger than") == true)
    }

    @Test func `a file of nonsense is told in whole, and a deep one is not followed down`() throws {
        let many = (0..<2000).map { "key\($0): 1\n" }.joined()
        #expect(try ConfigurationFolder(leastYAML + many).problems().count == 2000)
        let deep = "est: " + String(repeating: "[", count: 100_000)
        #expect(try ConfigurationFolder(deep).problems().first?.contains("is not YAML here") == true)
    }

    @Test func `contradictions name both keys and where they are set`() throws {
        let text =
            yaml("postgresql://muster@db.example/muster", "host=db connect_timeout=3 passfile=/p\n  passwordFile: p")
                + """
                public: {listen: "[::]:8443"}
                limits:
                  commitQueueMax: 10
                """
        #expect(
            try ConfigurationFolder(text).problems(["MUSTER_LIMITS_COMMIT_GROUP_MAX": "11"]) == [
                "muster.yaml:2:3: database.url: contradicts database.connectTimeoutSeconds (set by default): "
                    + "take connect_timeout out of the URL",
                "muster.yaml:3:3: database.passwordFile: contradicts database.url (set on line 2): "
                    + "the URL has a passfile; keep one of the two",
                "muster.yaml:14:10: public.listen: contradicts est.listen (set by default): "
                    + "both would listen on port 8443; change one",
                "MUSTER_LIMITS_COMMIT_GROUP_MAX: limits.commitGroupMax: contradicts limits.commitQueueMax "
                    + "(set on line 16): a group of 11 never fills from a queue of 10",
            ]
        )
    }

    @Test func `two issuers of one name are told with both`() throws {
        let second =
            "  - name: issuing-1\n    certificateFile: b\n    keyFile: pkcs11:object=b;pin-source=/p\n    passphraseFile: p\n"
        let text = yaml("trustStore:", second + "trustStore:")
        #expect(
            try ConfigurationFolder(text).problems() == [
                "muster.yaml:10:5: issuers.1.name: contradicts issuers.0.name (set on line 7): "
                    + "both are \"issuing-1\"; every issuer has a name of its own",
                "muster.yaml:13:5: issuers.1.passphraseFile: contradicts issuers.1.keyFile (set on line 12): "
                    + "the URI has a pin-source; keep one of the two",
            ]
        )
    }

    @Test func `all problems come at once, the file's by line, then the environment's, then the command line's`() throws
    {
        let text = yaml("est.key", "~").replacing("signer.key", with: "'pkcs11:'") + "zebra: 1\n"
        let problems = try ConfigurationFolder(text).problems(
            ["MUSTER_LOG_LEVL": "x", "MUSTER_ISSUERS_0_NAM": "x", "MUSTER_EST_LISTEN": "x"],
            ["log.format=x", "log.levle=x", "nonsense", "log.format=y", "issuers.99.name=a"]
        )
        #expect(
            problems.map { $0.prefix { $0 != " " } } == [
                "muster.yaml:5:3:", "muster.yaml:12:3:", "muster.yaml:13:1:", "MUSTER_EST_LISTEN:",
                "MUSTER_ISSUERS_0_NAM:", "MUSTER_LOG_LEVL:", "--set", "--set", "--set", "--set", "--set",
            ]
        )
        #expect(problems.contains("MUSTER_LOG_LEVL: is not known; did you mean MUSTER_LOG_LEVEL?"))
        #expect(problems.contains("MUSTER_ISSUERS_0_NAM: is not known; did you mean MUSTER_ISSUERS_0_NAME?"))
        #expect(problems.contains("--set 2: log.levle: unknown key; did you mean log.level?"))
        #expect(problems.contains("--set 3: has no =; write --set est.listen=0.0.0.0:8443"))
        #expect(problems.contains("--set 4: log.format: is set by --set twice; keep one"))
        #expect(problems.contains("--set 5: counts issuers from 0 to 31, without zeros before"))
    }
}
