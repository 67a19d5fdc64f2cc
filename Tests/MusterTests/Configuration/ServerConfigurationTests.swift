import Foundation
import Logging
import PKI
import Testing

@testable import muster

/// What a right configuration becomes.
@Suite struct ServerConfigurationTests {
    private static let standardLimits = ServerConfiguration.Limits(
        connectionsPerAddressMax: 5000,
        handshakesMax: 512,
        enrollmentsMax: 2048,
        requestHeaderBytesMax: 16_384,
        requestBodyBytesMax: 65_536,
        requestBodyTimeout: .seconds(15),
        csr: RequestBounds(octetsMax: 16_384, itemsMax: 64),
        chainCertificatesMax: 8,
        chainBytesMax: 32_768,
        databaseQueueMax: 1024,
        commitQueueMax: 4096,
        commitGroupMax: 64,
        attemptsKeptMonths: 13
    )

    @Test func `the least configuration gets every default`() throws {
        let folder = try ConfigurationFolder(leastYAML)
        let configuration = try folder.load()
        #expect(configuration.database.address.connectionString == "postgresql://muster@db.example/muster")
        #expect(configuration.database.passwordFile == nil)
        #expect(configuration.database.poolSize == 8)
        #expect(configuration.est.listen.description == "0.0.0.0:8443")
        #expect(configuration.est.connectionsMax == 10000)
        #expect(configuration.est.handshakeTimeout == .seconds(10))
        #expect(configuration.est.idleTimeout == .seconds(60))
        #expect(configuration.est.tlsVersionMin == .tls12)
        #expect(!configuration.est.lenientBodies)
        #expect(configuration.est.defaultFleet == nil)
        #expect(
            configuration.publicFront
                == .init(
                    listen: try #require(ListenAddress("0.0.0.0:8080")),
                    url: nil,
                    connectionsMax: 256,
                    connectionsPerAddressMax: 128,
                    idleTimeout: .seconds(30),
                    bodyTimeout: .seconds(15)
                )
        )
        #expect(configuration.mqtt == nil)
        #expect(configuration.trustStore.lifetime == .seconds(365 * 86_400))
        #expect(configuration.log == .init(level: .info, format: .json))
        #expect(configuration.limits == Self.standardLimits)
        #expect(configuration.shutdown.grace == .seconds(10))
    }

    @Test func `relative paths start from the folder of the file, and whole paths and tokens stay`() throws {
        let folder = try ConfigurationFolder(
            yaml("signer.key", "pkcs11:token=muster;object=signer").replacing("est.pem", with: "/etc/est.pem")
                .replacing("est.key", with: "./keys/est.key")
        )
        let configuration = try folder.load()
        #expect(configuration.est.certificateFile == "/etc/est.pem")
        #expect(configuration.est.keyFile == "\(folder.path)/keys/est.key")
        #expect(configuration.issuers[0].key == .file("\(folder.path)/issuing-1.key"))
        #expect(configuration.trustStore.signerKey == .pkcs11("pkcs11:token=muster;object=signer"))
    }

    @Test func `the command line goes before the environment, and that before the file`() throws {
        let folder = try ConfigurationFolder(yaml(adding: "log: {level: error}\npublic: {listen: \"127.0.0.1:1\"}\n"))
        #expect(try folder.load().log.level == .error)
        let environment = ["MUSTER_LOG_LEVEL": "debug", "MUSTER_PUBLIC_LISTEN": "[::1]:2"]
        #expect(try folder.load(environment).log.level == .debug)
        let configuration = try folder.load(environment, ["log.level=trace"])
        #expect(configuration.log.level == .trace)
        #expect(configuration.publicFront.listen.description == "[::1]:2")
    }

    @Test func `a server can be configured by the environment and the command line alone`() throws {
        let configuration = try ServerConfiguration.load(
            file: nil,
            environment: [
                "MUSTER_DATABASE_URL": "host=db dbname='mus ter' user=muster passfile=/run/pgpass",
                "MUSTER_EST_CERTIFICATE_FILE": "/c", "MUSTER_EST_KEY_FILE": "/k",
                "MUSTER_ISSUERS_0_NAME": "a", "MUSTER_ISSUERS_0_CERTIFICATE_FILE": "/a",
                "MUSTER_ISSUERS_0_KEY_FILE": "/a.key",
                "MUSTER_TRUST_STORE_SIGNER_CERTIFICATE_FILE": "/s", "MUSTER_TRUST_STORE_SIGNER_KEY_FILE": "/s.key",
                "PATH": "/bin",
            ],
            overrides: ["issuers.1.name=b", "issuers.1.certificateFile=/b", "issuers.1.keyFile=b.key"]
        )
        #expect(configuration.issuers.map(\.name) == ["a", "b"])
        #expect(configuration.issuers[1].key == .file(FileManager.default.currentDirectoryPath + "/b.key"))
    }

    @Test func `every key can be set in all three layers`() throws {
        let folder = try ConfigurationFolder(leastYAML)
        let mqtt = Dictionary(
            uniqueKeysWithValues: ConfigurationKeys.all.filter { $0.name.hasPrefix("mqtt.") }
                .map { ($0.environmentVariable, $0.example) }
        )
        for key in ConfigurationKeys.all {
            let name = ConfigurationName.name(key.name, index: 0)
            let variable = ConfigurationName.environmentVariable(for: name)
            let wrong = "\n"
            let byVariable = folder.problems(mqtt.merging([variable: wrong]) { $1 })
            #expect(byVariable.contains { $0.hasPrefix("\(variable): \(name): ") }, "\(name)")
            let byOption = folder.problems(mqtt, ["\(name)=\(wrong)"])
            #expect(byOption.contains { $0.hasPrefix("--set 1: \(name): ") }, "\(name)")
        }
    }

    @Test(arguments: [
        ("est.tlsVersionMin", "MUSTER_EST_TLS_VERSION_MIN"), ("mqtt.clientIDPrefix", "MUSTER_MQTT_CLIENT_ID_PREFIX"),
        ("mqtt.caFile", "MUSTER_MQTT_CA_FILE"), ("trustStore.lifetimeDays", "MUSTER_TRUST_STORE_LIFETIME_DAYS"),
        ("issuers.12.keyFile", "MUSTER_ISSUERS_12_KEY_FILE"),
    ])
    func `environment variables are the words of the key's name`(_ name: String, _ variable: String) {
        #expect(ConfigurationName.environmentVariable(for: name) == variable)
    }

    @Test func `no two keys share an environment variable`() {
        #expect(Set(ConfigurationKeys.all.map(\.environmentVariable)).count == ConfigurationKeys.all.count)
        #expect(ConfigurationKeys.names.count == ConfigurationKeys.all.count)
    }

    @Test func `variables that others set for a service named muster are let be`() throws {
        let folder = try ConfigurationFolder(leastYAML)
        let kubernetes = [
            "MUSTER_SERVICE_HOST": "10.0.0.1", "MUSTER_PORT": "tcp://10.0.0.1:8443",
            "MUSTER_PORT_8443_TCP_ADDR": "10.0.0.1", "MUSTER_EST_SERVICE_PORT": "8443",
        ]
        #expect(folder.problems(kubernetes) == [])
        let client = ["DEV", "PROFILE", "URL", "CA_FILE", "CERTIFICATE_FILE", "KEY_FILE", "TOKEN_FILE"]
        let variables = client.map { ("MUSTER_CLIENT_\($0)", "/tmp/x") }
        #expect(folder.problems(Dictionary(uniqueKeysWithValues: variables)) == [], "those of operators' commands")
    }

    @Test func `reading again tells which changed keys need a restart`() throws {
        let folder = try ConfigurationFolder(yaml(adding: "public: {listen: \"0.0.0.0:1\"}\n"))
        func read(_ overrides: [String]) throws -> LoadedConfiguration {
            try LoadedConfiguration(file: folder.file, environment: [:], overrides: overrides)
        }
        let earlier = try read(["est.connectionsMax=5"])
        let same = try read(["est.connectionsMax=5", "database.poolSize=8", "log.level=debug", "est.keyFile=new.key"])
        #expect(same.keysNeedingRestart(since: earlier) == [])
        let changed = try read(["public.listen=0.0.0.0:2", "issuers.0.name=other", "est.defaultFleet=a"])
        #expect(
            changed.keysNeedingRestart(since: earlier) == [
                "est.connectionsMax", "est.defaultFleet", "issuers.0.name", "public.listen",
            ]
        )
    }

    @Test func `the operator front is described in whole or left out, and takes tokens by three keys or none`() throws {
        let section = """
            operator:
              certificateFile: front.pem
              keyFile: front.key
              caCertificateFile: ca.pem
              caKeyFile: ca.key

            """
        let front = try ConfigurationFolder(yaml(adding: section)).load().operatorFront
        #expect(front?.listen.port == 9443)
        #expect(front?.tokens == nil)
        let tokens = section + "  jwtIssuer: https://login.example\n  jwtAudience: muster\n  jwksFile: jwks.json\n"
        #expect(try ConfigurationFolder(yaml(adding: tokens)).load().operatorFront?.tokens?.rolesClaim == "roles")
        let half = try ConfigurationFolder(yaml(adding: section + "  jwtIssuer: https://login.example\n"))
        #expect(half.problems([:]).contains { $0.contains("operator.jwtAudience") })
        let same = try ConfigurationFolder(yaml(adding: section + "  listen: 0.0.0.0:8443\n"))
        #expect(same.problems([:]).contains { $0.contains("port 8443") })
        #expect(try ConfigurationFolder(yaml(adding: "operator:\n")).load().operatorFront == nil)
    }

    @Test func `a broker is either described in whole or left out`() throws {
        let section = """
            mqtt:
              host: 2001:db8::1
              caFile: ca.pem
              certificateFile: mqtt.pem
              keyFile: mqtt.key
            """
        let mqtt = try ConfigurationFolder(yaml(adding: section)).load().mqtt
        #expect(mqtt?.host == "2001:db8::1")
        #expect(mqtt?.port == 8883)
        #expect(mqtt?.clientIDPrefix == "muster")
        #expect(try ConfigurationFolder(yaml(adding: "mqtt:\n")).load().mqtt == nil)
    }
}

/// `muster config example`.
@Suite struct ExampleConfigurationTests {
    @Test func `the example is the defaults and values that are right in form`() throws {
        let example = try ConfigurationFolder(ServerConfiguration.exampleYAML).load()
        let required = ConfigurationKeys.all.compactMap { key -> String? in
            let section = String(key.name.prefix { $0 != "." })
            guard case .required(let text) = key.presence, !ConfigurationKeys.optionalSections.contains(section)
            else { return nil }
            return "\(ConfigurationName.name(key.name, index: 0))=\(text)"
        }
        let defaults = try ServerConfiguration.load(file: nil, environment: [:], overrides: required)
        #expect(example == defaults)
    }

    @Test func `the example with every comment mark before a key taken off is right too`() throws {
        let lines = ServerConfiguration.exampleYAML.split(separator: "\n", omittingEmptySubsequences: false)
        let text = lines.map { String($0).replacing(/^( *)#(?=\w|- )/, with: { $0.output.1 }) }.joined(separator: "\n")
        let configuration = try ConfigurationFolder(text).load()
        #expect(configuration.mqtt?.host == "mqtt.example.com")
        #expect(configuration.est.defaultFleet == "meters")
        #expect(configuration.database.passwordFile == "/etc/muster/database.password")
        #expect(configuration.issuers[0].passphraseFile == "/etc/muster/issuing-1.passphrase")
        #expect(configuration.webhooks.map(\.name) == ["inventory"])
    }

    @Test func `the example tells every key, its variable and its meaning`() {
        let text = ServerConfiguration.exampleYAML
        for key in ConfigurationKeys.all {
            let variable = ConfigurationName.environmentVariable(for: ConfigurationName.name(key.name, index: 0))
            #expect(text.contains("[\(variable)"), "\(key.name)")
            let opening = key.meaning.split(separator: " ").prefix(3).joined(separator: " ")
            #expect(text.contains(opening), "\(key.name)")
        }
        #expect(text.contains("recorded but not"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }
}
