import Enrollment
import EnrollmentPostgres
import Foundation
import Glibc
import LocalServers
import Logging
import OpenSSL
import PKI
import Postgres
import Schema
import ServiceLifecycle

/// Runs all of `muster dev`: PostgreSQL, Mosquitto, and the same server that `muster serve` runs, from a configuration
/// file that stands in the folder for all to see.
struct DevServers {
    let directory: String
    let ports: DevPorts
    /// True if an agent runs beside the broker.
    let hasAgent: Bool
    /// What is set over the file, as `muster serve --set` has it.
    let overrides: [String]
    let log: ServerConfiguration.Log

    private static let fleet = "demo"
    private static let ownerRole = "muster_owner"
    private static let serverRole = "muster_server"
    private static let databaseName = "muster"
    private static let crlShards = 128

    func run() async throws {
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755]
        )
        let lock = try FolderLock(directory)
        defer { lock.release() }
        try? FileManager.default.removeItem(atPath: directory + "/dev.json")
        let threshold = LogThreshold(log.level)
        let logger = Logger(serving: log.format, threshold: threshold)
        let pki = DevPKI(directory: directory + "/pki")
        try pki.make(now: Date())
        let postgres = try LocalPostgreSQL(directory: directory + "/postgres", logger: logger)
        let agent = hasAgent ? DevAgent(directory: directory, fleet: Self.fleet, ports: ports, pki: pki, log: log) : nil
        let mosquitto = try broker(pki, agent, logger: logger)
        do {
            try await postgres.start()
            try await mosquitto.start()
            try await prepare(postgres)
            try await serve(postgres, pki: pki, agent: agent, threshold: threshold, logger: logger)
        } catch {
            try? FileManager.default.removeItem(atPath: directory + "/dev.json")
            try? await mosquitto.stop()
            try? await postgres.stop()
            throw error
        }
        try? FileManager.default.removeItem(atPath: directory + "/dev.json")
        try await mosquitto.stop()
        try await postgres.stop()
        logger.notice("stopped")
    }

    private func broker(_ pki: DevPKI, _ agent: DevAgent?, logger: Logger) throws -> LocalMosquitto {
        var configuration = LocalMosquitto.Configuration(
            port: ports.broker,
            certificateChain: try read(pki.certificate(.broker)),
            privateKey: try read(pki.key(.broker)),
            // Operators may look on, too.
            anchors: try read(pki.certificate(.root)) + read(pki.certificate(.operatorCA))
        )
        if let agent {
            configuration.accessRules = BrokerAccessRules.text(agent: agent.name)
            configuration.revocation = try agent.revocation(now: Date())
        }
        return try LocalMosquitto(
            directory: directory + "/mosquitto",
            configuration: configuration,
            logger: logger
        )
    }

    /// Roles, database and schema, each only where it is missing.
    private func prepare(_ postgres: LocalPostgreSQL) async throws {
        try await postgres.run(sql: Schema.roles)
        let found = try await postgres.run(
            sql: "select count(*) from pg_database where datname = '\(Self.databaseName)'"
        )
        if found == "0" {
            try await postgres.run(sql: "create database \(Self.databaseName) owner \(Self.ownerRole)")
        }
        let owner = postgres.connectionURI(database: Self.databaseName, user: Self.ownerRole)
        let connection = try await PostgresConnection.connect(PostgresConfiguration(connectionString: owner))
        defer { connection.close() }
        _ = try await SchemaGuard.migrator.migrate(on: connection)
    }

    private func serve(
        _ postgres: LocalPostgreSQL,
        pki: DevPKI,
        agent: DevAgent?,
        threshold: LogThreshold,
        logger: Logger
    ) async throws {
        let database = postgres.connectionURI(database: Self.databaseName, user: Self.serverRole)
        let file = directory + "/muster.yaml"
        try PrivateFile.write(Array(settings(database: database, pki: pki).utf8), to: file, mode: 0o644)
        let load = { @Sendable [overrides] in
            try ServerConfiguration.load(file: file, environment: [:], overrides: overrides)
        }
        let server = try await MusterServer(try load(), threshold: threshold, logger: logger)
        try await makeFleet(server, pki: pki)
        try await server.admitOperator(
            DevPKI.operatorName,
            certificate: try der(pki.certificate(.operator)),
            actor: "muster dev"
        )
        let document = try DevDocument(
            ports: ports,
            database: database,
            fleet: Self.fleet,
            pki: pki,
            issuer: issuerFile(pki)
        ).json()
        let ready = { @Sendable in
            try PrivateFile.write(document, to: directory + "/dev.json", mode: 0o644)
            logger.notice("ready", metadata: ["dev": "\(directory)/dev.json"])
        }
        guard let agent else { return try await server.run(reloading: load) { _ in try ready() } }
        let (listening, listens) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run(reloading: load) { _ in listens.yield() } }
            group.addTask {
                // It asks the fronts, and so cannot be what they wait for.
                for await _ in listening { break }
                guard !Task.isCancelled else { return }
                let service = try await agent.service(logger: logger)
                try ready()
                try await service.run()
            }
            // Whoever ends first, by a signal or by what broke, takes the other along.
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// The fleet `demo`, by the domain's own use case: a manufacturer's CA and a claim CA, policy open.
    private func makeFleet(_ server: MusterServer, pki: DevPKI) async throws {
        guard let name = FleetName(Self.fleet), let issuer = server.issuers.first else { return }
        let profile = try CertificateProfile(
            organization: "Muster Demo",
            trustDomain: "muster.local"
        )
        _ = try await server.administration.createFleet(
            name: name,
            policy: .open,
            profile: profile,
            issuer: IssuerRegistration(name: issuer.name, chain: issuer.chain),
            anchors: [
                FleetCreation.Anchor(
                    name: "manufacturer",
                    certificate: try der(pki.certificate(.manufacturer)),
                    rule: .subjectSerialNumber
                ),
                FleetCreation.Anchor(
                    name: "claim",
                    certificate: try der(pki.certificate(.claimCA)),
                    rule: .requestCommonName
                ),
            ],
            actor: "muster dev"
        )
    }

    /// The issuing CA's certificate alone, since the chain file holds the root too.
    private func issuerFile(_ pki: DevPKI) throws -> String {
        let path = pki.directory + "/issuer.pem"
        let chain = try CACertificateChain(
            pem: String(decoding: read(pki.certificate(.issuing)), as: UTF8.self),
            now: Date()
        )
        let first = CertificatePEM.text(chain.der[0])
        try PrivateFile.write(Array(first.utf8), to: path, mode: 0o644)
        return path
    }

    private func settings(database: String, pki: DevPKI) -> String {
        """
        # Written by `muster dev` at each start.
        database:
          url: \(database)
        est:
          listen: 127.0.0.1:\(ports.est)
          certificateFile: \(pki.certificate(.est))
          keyFile: \(pki.key(.est))
          defaultFleet: \(Self.fleet)
        public:
          listen: 127.0.0.1:\(ports.publicFront)
          url: http://localhost:\(ports.publicFront)
        mqtt:
          host: localhost
          port: \(ports.broker)
          caFile: \(pki.certificate(.root))
          certificateFile: \(pki.certificate(.server))
          keyFile: \(pki.key(.server))
        operator:
          listen: 127.0.0.1:\(ports.operatorFront)
          certificateFile: \(pki.certificate(.est))
          keyFile: \(pki.key(.est))
          caCertificateFile: \(pki.certificate(.operatorCA))
          caKeyFile: \(pki.key(.operatorCA))
          # There is one operator, dev.
          revocationsPerHourMax: 0
        metrics:
          listen: 127.0.0.1:\(ports.metrics)
        issuers:
          - name: dev
            certificateFile: \(pki.certificate(.issuing))
            keyFile: \(pki.key(.issuing))
            # Few, so that it starts at once.
            crlShards: \(Self.crlShards)
        trustStore:
          signerCertificateFile: \(pki.certificate(.signer))
          signerKeyFile: \(pki.key(.signer))
        log:
          level: \(log.level.rawValue)
          format: \(log.format.rawValue)

        """
    }

    private func read(_ path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ServerMaterial.Problem(key: "state", path: path, why: "it cannot be read")
        }
        return [UInt8](data)
    }

    private func der(_ path: String) throws -> [UInt8] { try CertificatePEM.first(in: read(path)) }
}

/// Keeps a folder to one process. The lock goes with the process, however that ends.
private struct FolderLock {
    private let descriptor: Int32

    init(_ directory: String) throws {
        let path = directory + "/lock"
        let descriptor = unsafe open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw DevProblem.cannotWrite(path) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw DevProblem.inUse(directory)
        }
        self.descriptor = descriptor
    }

    func release() { close(descriptor) }
}
