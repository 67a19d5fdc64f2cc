import CoreMetrics
import Crypto
import ESTServer
import Enrollment
import EnrollmentPostgres
import Foundation
import FrontBounds
import Logging
import NIOCore
import NIOPosix
import OperatorServer
import PKI
import Postgres
import Prometheus
import ServiceLifecycle
import StatusServer
import SwiftASN1
import Synchronization
import UnixSignals
import X509

/// The one place where everything is wired: a configuration becomes running services.
struct MusterServer: Sendable {
    /// The ports that were opened.
    struct Ports: Sendable {
        let est: Int
        let publicFront: Int
        let metrics: Int
        /// Nil if there is no operator front.
        let operatorFront: Int?
    }

    let administration: FleetAdministration
    let issuers: [Issuer]

    private let signer: TrustStoreSigner
    private let configuration: ServerConfiguration
    private let logger: Logger
    private let database: PostgresConfiguration
    private let pool: PostgresPool
    private let directory: FleetDirectory
    private let tls: DeviceTLS
    private let operatorFront: OperatorFrontWiring?
    private let metrics: PrometheusMetrics
    private let threshold: LogThreshold
    private let webhooks: WebhookRoster
    private let ownKeys: Mutexed<Set<[UInt8]>>

    /// Reads keys and certificates and asks the database for its schema. Nothing listens yet.
    /// - Parameter threshold: The level of `logger`, which can change while it serves.
    init(_ configuration: ServerConfiguration, threshold: LogThreshold, logger: Logger) async throws {
        self.configuration = configuration
        self.threshold = threshold
        self.logger = logger
        metrics = try PrometheusMetrics(MusterMetrics.all)
        let version = [("version", Muster.version)]
        Meter(label: MusterMetrics.buildInfo.name, dimensions: version, factory: metrics).set(1)
        issuers = try ServerMaterial.issuers(configuration.issuers)
        signer = try ServerMaterial.trustStoreSigner(configuration.trustStore)
        let identity = try Self.deviceIdentity(configuration.est)
        ownKeys = Mutexed(try ServerMaterial.ownKeys(configuration.est))
        operatorFront = try configuration.operatorFront.map { try OperatorFrontWiring($0) }
        webhooks = WebhookRoster(try WebhookRoster.Edition(configuration.webhooks, logger: logger))
        database = try DatabaseAccess.configuration(configuration.database)
        pool = PostgresPool(
            PostgresPool.Configuration(
                connection: database,
                connectionsMax: configuration.database.poolSize,
                waitingMax: configuration.limits.databaseQueueMax
            ),
            onFull: RecordLimit.databasePool.counter(metrics),
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
    ///   - onReady: Runs once all fronts listen.
    func run(
        reloading: @escaping @Sendable () throws -> ServerConfiguration,
        onReady: @escaping @Sendable (Ports) async throws -> Void
    ) async throws {
        let changes = RecordChanges(database, logger: logger)
        let enrollmentPool = DatabaseAccess.enrollmentPool(
            database,
            onFull: RecordLimit.databasePool.counter(metrics),
            logger: logger
        )
        let statistics = RecordStatistics(pool: pool, logger: logger)
        let outbox = PostgresOutbox(pool: pool, changes: changes)
        let webhookQueue = PostgresWebhookQueue(pool: pool, changes: changes)
        let loader = FleetLoader(
            source: PostgresFleetSource(pool: pool, changes: changes, logger: logger),
            directory: directory,
            issuers: issuers,
            publicURL: configuration.publicFront.url,
            logger: logger
        )
        try await loader.load()
        try tls.reload(directory: directory)
        let crls = PublishedCRLs()
        let follower = CRLFollower(pool: pool, changes: changes, published: crls, logger: logger)
        try await follower.load()

        let statuses = PostgresCertificateStatuses(
            pool: pool,
            changes: changes,
            onRevocation: OCSPMetrics(factory: metrics).noticed,
            logger: logger
        )
        let ocsp = OCSPService(
            issuers: issuers,
            record: statuses,
            validity: configuration.ocsp.validity,
            earliest: { crls.list(issuer: $0, shard: CRLShards.complete)?.thisUpdate },
            logger: logger
        )
        await ocsp.renewResponders()

        let group = MultiThreadedEventLoopGroup(numberOfThreads: Processors.available)
        // On a loop of connections each step of a group would stand behind whatever handshakes came before it, and all of
        // the group with it. Here the kernel lets it go first.
        let recordLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        // A rest is over when a loop of connections says so: while that one is busy, whom its handshakes bring goes along.
        let restClock = LoopClock(group.next())
        let commitMetrics = CommitMetrics(factory: metrics)
        let commits = CommitGroup(
            pool: enrollmentPool,
            groupMax: configuration.limits.commitGroupMax,
            waitingMax: configuration.limits.commitQueueMax,
            webhooks: { [webhooks] in webhooks.subscriptions },
            onCommit: { entries, took in
                commitMetrics.committed(entries, took)
                statistics.committed(entries)
            },
            onFull: RecordLimit.commitQueue.counter(metrics),
            clock: restClock,
            logger: logger
        )
        let questions = QuestionGroup(
            pool: enrollmentPool,
            waitingMax: configuration.limits.commitQueueMax,
            onFull: RecordLimit.questionQueue.counter(metrics),
            clock: restClock,
            logger: logger
        )
        let ready = Readying(hasOperatorFront: operatorFront != nil, onReady)
        let enrollmentMetrics = EnrollmentMetrics(factory: metrics)
        let gauges = GaugeReader(
            pool: pool,
            outbox: outbox,
            webhooks: webhookQueue,
            roster: webhooks,
            commits: commits,
            crls: crls,
            ocsp: ocsp,
            factory: metrics
        )
        let enrollment = EnrollmentService(
            record: PostgresEnrollmentRecord(questions: questions, commits: commits),
            bounds: configuration.limits.csr,
            forbiddenKeys: { [ownKeys] in ownKeys.value },
            observer: enrollmentMetrics,
            logger: logger
        )
        // In order of dependence: the group stops them in reverse, so that the fronts end first and the pool last.
        var services: [any Service] = [
            pool, enrollmentPool, changes, statistics,
            OnEventLoop(commits, recordLoop), OnEventLoop(questions, recordLoop),
        ]
        if let mqtt = configuration.mqtt {
            services += try BrokerServices(mqtt, logger: logger).all(outbox: outbox, pool: pool, factory: metrics)
        } else {
            logger.warning("no mqtt section: trust stores are recorded but not published")
        }
        try await webhooks.present.register(in: webhookQueue)
        services += [
            WebhookSender(queue: webhookQueue, roster: webhooks, factory: metrics, logger: logger),
            follower, statuses, OCSPUpkeep(service: ocsp),
            CRLPublisher(
                database: database,
                changes: changes,
                issuers: issuers,
                configuration: CRLPublisher.Configuration(
                    lifetime: configuration.crl.lifetime,
                    publicURL: configuration.publicFront.url
                ),
                directory: directory,
                onSigned: CRLMetrics(factory: metrics).signed,
                logger: logger
            ),
            FleetWatch(loader: loader, tls: tls, directory: directory, logger: logger),
            RecordKeeper(
                pool: pool,
                attemptsKeptMonths: configuration.limits.attemptsKeptMonths,
                onDropped: RecordLimit.attemptsKept.counter(metrics),
                logger: logger
            ),
            gauges,
            ReloadOnHangup(reload: { try await reload(reloading()) }, logger: logger),
            StatusFront(
                configuration: StatusFront.Configuration(configuration.publicFront),
                directory: directory,
                crls: crls,
                ocsp: ocsp,
                onOCSPAnswer: OCSPMetrics(factory: metrics).answered,
                readiness: {
                    await ServerReadiness.now(
                        outbox: outbox,
                        directory: directory,
                        issuers: issuers,
                        crls: crls,
                        crlLifetime: configuration.crl.lifetime,
                        ocsp: ocsp,
                        hasBroker: configuration.mqtt != nil
                    )
                },
                eventLoopGroup: group,
                logger: logger,
                observer: PublicFrontMetrics(factory: metrics),
                onListening: { port in await ready.publicFront(port) }
            ),
            MetricsFront(
                host: configuration.metrics.listen.host,
                port: configuration.metrics.listen.port,
                render: { [metrics] in
                    gauges.readHere()
                    return metrics.render()
                },
                eventLoopGroup: group,
                logger: logger,
                onListening: { port in await ready.metrics(port) }
            ),
            ESTFront(
                configuration: ESTFront.Configuration(configuration, logger: logger),
                tls: tls,
                directory: directory,
                enrollment: enrollment,
                eventLoopGroup: group,
                logger: logger,
                observer: enrollmentMetrics,
                onListening: { port in await ready.est(port) }
            ),
        ]
        if let operatorFront {
            let presented = PostgresPresentedCertificates(pool: pool, changes: changes, logger: logger)
            services += [
                presented,
                operatorFront.front(
                    record: operatorRecord(
                        changes: changes,
                        loader: loader,
                        statuses: statuses,
                        presented: presented,
                        crls: crls
                    ),
                    issuers: issuers.map { IssuerRegistration(name: $0.name, chain: $0.chain) },
                    metrics: OperatorMetrics(factory: metrics),
                    eventLoopGroup: group,
                    logger: logger,
                    onListening: { port in await ready.operatorFront(port) }
                ),
            ]
        }
        var serviceGroup = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        serviceGroup.maximumGracefulShutdownDuration = configuration.shutdown.grace
        do {
            try await ServiceGroup(configuration: serviceGroup).run()
        } catch {
            try? await group.shutdownGracefully()
            try? await recordLoop.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
        try await recordLoop.shutdownGracefully()
        if let failure = ready.failure { throw failure }
    }

    private var revocationsPerHourMax: Int { configuration.operatorFront?.revocationsPerHourMax ?? 0 }

    /// The ports of the operator front. A fleet that was applied serves at once here; other replicas hear of it.
    private func operatorRecord(
        changes: RecordChanges,
        loader: FleetLoader,
        statuses: PostgresCertificateStatuses,
        presented: PostgresPresentedCertificates,
        crls: PublishedCRLs
    ) -> OperatorRecord {
        OperatorRecord(
            fleets: PostgresFleetSource(pool: pool, changes: changes, logger: logger),
            administration: FleetAdministration(
                registry: ServingFleetRegistry(
                    registry: PostgresFleetRegistry(pool: pool),
                    afterChange: { [tls, directory, logger] in
                        do {
                            try await loader.load()
                            try tls.reload(directory: directory)
                        } catch {
                            logger.warning("a changed fleet is not served yet", metadata: ["error": "\(error)"])
                        }
                    }
                ),
                signer: signer,
                trustStoreLifetime: configuration.trustStore.lifetime
            ),
            devices: PostgresDeviceRegister(pool: pool),
            revocations: PostgresRevocationRegister(
                pool: pool,
                webhooks: { [webhooks] in webhooks.subscriptions },
                perHourMax: revocationsPerHourMax
            ),
            revocationRequests: PostgresRevocationRequests(pool: pool, perHourMax: revocationsPerHourMax),
            revocationPreviews: PostgresRevocationPreview(pool: pool),
            registrations: PostgresRegistrationRegister(pool: pool),
            approvals: PostgresApprovalRegister(pool: pool),
            bootstrap: PostgresBootstrapRegister(pool: pool),
            attempts: PostgresAttemptLog(pool: pool),
            operators: PostgresOperatorRegister(pool: pool),
            audit: PostgresAuditLog(pool: pool),
            trust: PostgresTrustReading(pool: pool),
            progress: PostgresRevocationProgress(
                pool: pool,
                statuses: statuses,
                crls: crls,
                hasBroker: configuration.mqtt != nil
            ),
            agents: PostgresAgents(pool: pool),
            idempotency: PostgresIdempotencyRecord(pool: pool),
            authorization: DeviceAuthorization(record: presented)
        )
    }

    /// Lets an operator in as an admin, by a certificate that was made with the operators' CA here. Does nothing if the
    /// record has them so already.
    func admitOperator(_ name: String, certificate: [UInt8], actor: String) async throws {
        let register = PostgresOperatorRegister(pool: pool)
        let digest = [UInt8](SHA256.hash(data: certificate))
        if try await register.holder(ofCertificate: digest)?.role == .admin { return }
        try await register.add(
            name,
            role: .admin,
            certificateSHA256: digest,
            notAfter: try Certificate(derEncoded: certificate).notValidAfter,
            actor: actor,
            at: Date()
        )
    }

    /// What can change without a restart.
    private func reload(_ configuration: ServerConfiguration) async throws {
        let identity = try Self.deviceIdentity(configuration.est)
        let keys = try ServerMaterial.ownKeys(configuration.est)
        let told = try WebhookRoster.Edition(configuration.webhooks, logger: logger)
        try await told.register(in: PostgresWebhookQueue(pool: pool))
        try tls.reload(identity: identity, directory: directory)
        ownKeys.value = keys
        if let front = configuration.operatorFront { try operatorFront?.reload(front) }
        webhooks.replace(by: told)
        threshold.level = configuration.log.level
    }

    private static func deviceIdentity(_ est: ServerConfiguration.EST) throws -> DeviceTLS.Identity {
        let identity = try ServerMaterial.identity(
            certificateFile: est.certificateFile,
            keyFile: est.keyFile,
            section: "est"
        )
        return DeviceTLS.Identity(chain: identity.chain, key: identity.key)
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
