import ESTServer
import Enrollment
import EnrollmentMQTT
import EnrollmentPostgres
import Foundation
import Logging
import MQTT
import NIOCore
import NIOPosix
import NIOSSL
import PKI
import Postgres
import ServiceLifecycle
import StatusServer
import Synchronization
import UnixSignals

/// The one place where everything is wired: a configuration becomes running services.
struct MusterServer: Sendable {
    /// The ports that were opened.
    struct Ports: Sendable {
        let est: Int
        let publicFront: Int
    }

    let administration: FleetAdministration
    let issuers: [Issuer]

    private let configuration: ServerConfiguration
    private let logger: Logger
    private let database: PostgresConfiguration
    private let pool: PostgresPool
    private let directory: FleetDirectory
    private let tls: DeviceTLS
    private let ownKeys: Mutexed<Set<[UInt8]>>

    /// Reads keys and certificates and asks the database for its schema. Nothing listens yet.
    init(_ configuration: ServerConfiguration, logger: Logger) async throws {
        self.configuration = configuration
        self.logger = logger
        issuers = try ServerMaterial.issuers(configuration.issuers)
        let signer = try ServerMaterial.trustStoreSigner(configuration.trustStore)
        let identity = try ServerMaterial.identity(configuration.est)
        ownKeys = Mutexed(try ServerMaterial.ownKeys(configuration.est))
        database = try DatabaseAccess.configuration(configuration.database)
        pool = PostgresPool(
            PostgresPool.Configuration(connection: database, connectionsMax: configuration.database.poolSize),
            logger: logger
        )
        let status = try await SchemaGuard.status(pool)
        guard status == .current else { throw ServeProblem.schema("\(status)") }
        _ = try await SchemaGuard.makeAttemptPartitions(pool)
        directory = FleetDirectory(defaultFleet: configuration.est.defaultFleet.flatMap { FleetName($0) })
        tls = try DeviceTLS(
            identity: identity,
            minimumVersion: configuration.est.tlsVersionMin.nio,
            directory: directory
        )
        administration = FleetAdministration(
            registry: PostgresFleetRegistry(pool: pool),
            signer: signer,
            trustStoreLifetime: configuration.trustStore.lifetime
        )
    }

    /// Serves until SIGTERM or SIGINT.
    /// - Parameters:
    ///   - reloading: Reads the configuration again, at SIGHUP.
    ///   - onReady: Runs once both fronts listen.
    func run(
        reloading: @escaping @Sendable () throws -> ServerConfiguration,
        onReady: @escaping @Sendable (Ports) async throws -> Void
    ) async throws {
        let changes = RecordChanges(database, logger: logger)
        let commits = CommitGroup(
            pool: pool,
            groupMax: configuration.limits.commitGroupMax,
            waitingMax: configuration.limits.commitQueueMax,
            logger: logger
        )
        let outbox = PostgresOutbox(pool: pool, changes: changes)
        let loader = FleetLoader(
            source: PostgresFleetSource(pool: pool, changes: changes, logger: logger),
            directory: directory,
            issuers: issuers,
            logger: logger
        )
        try await loader.load()
        try tls.reload(directory: directory)

        let ready = Readying(onReady)
        let group = MultiThreadedEventLoopGroup.singleton
        let enrollment = EnrollmentService(
            record: PostgresEnrollmentRecord(pool: pool, commits: commits),
            forbiddenKeys: { [ownKeys] in ownKeys.value },
            logger: logger
        )
        // In order of dependence: the group stops them in reverse, so that the fronts end first and the pool last.
        var services: [any Service] = [pool, changes, commits]
        if let mqtt = configuration.mqtt {
            services += try brokerServices(mqtt, outbox: outbox)
        } else {
            logger.warning("no mqtt section: trust stores are recorded but not published")
        }
        services += [
            FleetWatch(loader: loader, tls: tls, directory: directory, logger: logger),
            PartitionKeeper(pool: pool, logger: logger),
            ReloadOnHangup(reload: { try reload(reloading()) }, logger: logger),
            StatusFront(
                host: configuration.publicFront.listen.host,
                port: configuration.publicFront.listen.port,
                directory: directory,
                readiness: {
                    await Self.readiness(outbox: outbox, directory: directory, hasBroker: configuration.mqtt != nil)
                },
                eventLoopGroup: group,
                logger: logger,
                onListening: { port in await ready.publicFront(port) }
            ),
            ESTFront(
                configuration: frontConfiguration,
                tls: tls,
                directory: directory,
                enrollment: enrollment,
                eventLoopGroup: group,
                logger: logger,
                onListening: { port in await ready.est(port) }
            ),
        ]
        var serviceGroup = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        serviceGroup.maximumGracefulShutdownDuration = configuration.shutdown.grace
        try await ServiceGroup(configuration: serviceGroup).run()
        if let failure = ready.failure { throw failure }
    }

    private var frontConfiguration: ESTFront.Configuration {
        var front = ESTFront.Configuration(
            host: configuration.est.listen.host,
            port: configuration.est.listen.port
        )
        front.connectionsMax = configuration.est.connectionsMax
        front.handshakeTimeout = configuration.est.handshakeTimeout
        front.idleTimeout = configuration.est.idleTimeout
        front.bodyOctetsMax = configuration.limits.requestBodyBytesMax
        front.lenientBodies = configuration.est.lenientBodies
        return front
    }

    private func brokerServices(_ mqtt: ServerConfiguration.MQTT, outbox: PostgresOutbox) throws -> [any Service] {
        let client = try BrokerAccess.client(mqtt, logger: logger)
        return [
            BrokerConnection(client: client),
            OutboxPublisher(outbox: outbox, broker: client, logger: logger),
            AcknowledgementCollector(record: outbox, broker: client, logger: logger),
        ]
    }

    /// What can change without a restart.
    private func reload(_ configuration: ServerConfiguration) throws {
        let identity = try ServerMaterial.identity(configuration.est)
        let keys = try ServerMaterial.ownKeys(configuration.est)
        try tls.reload(identity: identity, directory: directory)
        ownKeys.value = keys
    }

    /// The oldest event may wait this long before readiness speaks of it.
    private static let outboxAgeSecondsMax: Double = 60

    private static func readiness(outbox: PostgresOutbox, directory: FleetDirectory, hasBroker: Bool) async -> Readiness
    {
        var checks: [Readiness.Check] = []
        do {
            let age = try await outbox.oldestWaitingSeconds() ?? 0
            checks.append(Readiness.Check(name: "database", problem: nil))
            // The broker's absence does not keep devices from enrolling; it is said, and does not fail readiness.
            let late = hasBroker && age > outboxAgeSecondsMax
            checks.append(
                Readiness.Check(
                    name: late ? "outbox (waiting \(Int(age)) s; is the broker well?)" : "outbox",
                    problem: nil
                )
            )
        } catch {
            checks.append(Readiness.Check(name: "database", problem: "\(error)"))
        }
        let fleets = directory.snapshot.fleets.count
        checks.append(Readiness.Check(name: "fleets", problem: fleets == 0 ? "none is served" : nil))
        return Readiness(checks: checks)
    }
}

/// Why a server does not start.
enum ServeProblem: Error, CustomStringConvertible {
    case schema(String)

    var description: String {
        switch self {
        case .schema(let text): text
        }
    }
}

extension ServerConfiguration.EST.TLSVersion {
    fileprivate var nio: NIOSSL.TLSVersion {
        switch self {
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }
}

/// A value that several tasks read and one replaces.
final class Mutexed<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>

    init(_ value: Value) { storage = Mutex(value) }

    var value: Value {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}

/// Calls back once both fronts listen.
private final class Readying: Sendable {
    private struct State {
        var est: Int?
        var publicFront: Int?
        var isDone = false
        var failure: (any Error)?
    }

    private let state = Mutex(State())
    private let onReady: @Sendable (MusterServer.Ports) async throws -> Void

    init(_ onReady: @escaping @Sendable (MusterServer.Ports) async throws -> Void) { self.onReady = onReady }

    var failure: (any Error)? { state.withLock { $0.failure } }

    func est(_ port: Int) async { await note { $0.est = port } }
    func publicFront(_ port: Int) async { await note { $0.publicFront = port } }

    private func note(_ change: @Sendable (inout State) -> Void) async {
        let ports: MusterServer.Ports? = state.withLock { state in
            change(&state)
            guard !state.isDone, let est = state.est, let publicFront = state.publicFront else { return nil }
            state.isDone = true
            return MusterServer.Ports(est: est, publicFront: publicFront)
        }
        guard let ports else { return }
        do { try await onReady(ports) } catch { state.withLock { $0.failure = error } }
    }
}
