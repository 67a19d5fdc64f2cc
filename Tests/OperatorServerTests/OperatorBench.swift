import Crypto
import Enrollment
import EnrollmentPostgres
import Foundation
import Logging
import NIOPosix
import NIOSSL
import OpenSSL
import OperatorAPI
import OperatorServer
import PKI
import Postgres
import Schema
import TestKit
import TestPeers
import Testing
import X509

/// A running operator front over a PostgreSQL database of its own, with the fleet `meters` and an operator of each role.
struct OperatorBench: Sendable {
    /// Someone with a certificate.
    struct Holder: Sendable {
        let name: String
        let role: OperatorRole
        let certificateFile: String
        let keyFile: String
    }

    let world: TestFleet
    let authority: OperatorAuthority
    let record: OperatorRecord
    let folder: TemporaryDirectory
    let curl: Curl
    let tls: OperatorTLS
    let gateway: Holder
    let viewer: Holder
    let `operator`: Holder
    let admin: Holder
    /// As the server, with its rights.
    let pool: PostgresPool
    let databaseURI: String

    var holders: [Holder] { [gateway, viewer, `operator`, admin] }

    func holder(_ role: OperatorRole) -> Holder {
        switch role {
        case .gateway: gateway
        case .viewer: viewer
        case .operator: `operator`
        case .admin: admin
        }
    }

    /// Tests run side by side on one PostgreSQL.
    private static let connectionsMax = 3
    /// How long PostgreSQL may take to answer where many tests share a small machine.
    private static let patience = Duration.seconds(50)

    /// Lends one that runs.
    static func with(
        tokens: TokenVerification? = nil,
        now: @escaping @Sendable () -> Date = { Date() },
        revocationsPerHourMax: Int = 0,
        onAnswer: @escaping @Sendable (String, Int, Double) -> Void = { _, _, _ in },
        _ body: @Sendable @escaping (OperatorBench) async throws -> Void
    ) async throws {
        await Turns.shared.take()
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await lend(
                    tokens: tokens,
                    now: now,
                    revocationsPerHourMax: revocationsPerHourMax,
                    onAnswer: onAnswer,
                    body
                )
            )
        } catch {
            outcome = .failure(error)
        }
        await Turns.shared.giveBack()
        try outcome.get()
    }

    private static func lend(
        tokens: TokenVerification?,
        now: @escaping @Sendable () -> Date,
        revocationsPerHourMax: Int,
        onAnswer: @escaping @Sendable (String, Int, Double) -> Void,
        _ body: @Sendable @escaping (OperatorBench) async throws -> Void
    ) async throws {
        try await PostgreSQLCluster.shared.withDatabase { uri in
            let superuser = PostgresPool(
                .init(
                    connection: .init(connectionString: uri, connectTimeout: patience, callTimeout: patience),
                    connectionsMax: 1,
                    acquireTimeout: patience
                ),
                logger: .quiet
            )
            defer { superuser.close() }
            try await roles.run { try await superuser.withConnection { try await $0.run(script: Schema.roles) } }
            try await superuser.withConnection { connection in
                let rows = try await connection.query("select current_database()::text")
                let name: String = try rows[0].decode()
                try await connection.run(script: "alter database \(name) owner to muster_owner")
            }
            let owner = PostgresPool(
                .init(
                    connection: .init(
                        connectionString: uri.replacing("//postgres@", with: "//muster_owner@"),
                        connectTimeout: patience,
                        callTimeout: patience
                    ),
                    connectionsMax: 1,
                    acquireTimeout: patience
                ),
                logger: .quiet
            )
            defer { owner.close() }
            try await owner.withConnection { _ = try await SchemaGuard.migrator.migrate(on: $0) }
            let server = PostgresConfiguration(
                connectionString: uri.replacing("//postgres@", with: "//muster_server@"),
                connectTimeout: patience,
                callTimeout: patience
            )
            let pool = PostgresPool(
                .init(connection: server, connectionsMax: connectionsMax, acquireTimeout: patience),
                logger: .quiet
            )
            defer { pool.close() }
            try await serve(
                pool,
                server,
                uri,
                tokens: tokens,
                now: now,
                revocationsPerHourMax: revocationsPerHourMax,
                onAnswer: onAnswer,
                body
            )
        }
    }

    private static func serve(
        _ pool: PostgresPool,
        _ server: PostgresConfiguration,
        _ uri: String,
        tokens: TokenVerification?,
        now: @escaping @Sendable () -> Date,
        revocationsPerHourMax: Int,
        onAnswer: @escaping @Sendable (String, Int, Double) -> Void,
        _ body: @Sendable @escaping (OperatorBench) async throws -> Void
    ) async throws {
        let folder = try TemporaryDirectory(prefix: "mop")
        let world = try TestFleet()
        let ca = try TestAuthority.selfSigned("Operators", now: Date())
        let authority = try OperatorAuthority(certificate: ca.der, key: ca.key)
        let (record, presented) = try record(
            world,
            pool: pool,
            server: server,
            revocationsPerHourMax: revocationsPerHourMax
        )
        try await create(world, record.administration)
        let tls = try OperatorTLS(identity: identity(by: ca), authority: authority)
        let caFile = try folder.write("ca.pem", OperatorBench.pem(ca.der).utf8)
        func holder(_ name: String, _ role: OperatorRole) async throws -> Holder {
            try await add(name, role, record: record, ca: ca, folder: folder)
        }
        let (gateway, viewer, `operator`, admin) = (
            try await holder("gabi", .gateway), try await holder("vera", .viewer), try await holder("otto", .operator),
            try await holder("ada", .admin)
        )
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let front = OperatorFront(
            configuration: .init(host: "127.0.0.1", port: 0),
            tls: tls,
            record: record,
            issuers: [IssuerRegistration(name: world.issuer.name, chain: world.issuer.chain)],
            authority: authority,
            tokens: tokens,
            now: now,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: .quiet,
            onAnswer: onAnswer,
            onListening: { listening.yield($0) }
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await front.run() }
            group.addTask { try await presented.run() }
            group.addTask {
                var found = ports.makeAsyncIterator()
                guard let port = await found.next() else { return }
                let bench = OperatorBench(
                    world: world,
                    authority: authority,
                    record: record,
                    folder: folder,
                    curl: Curl(base: "https://localhost:\(port)\(OperatorOperation.root)", caFile: caFile),
                    tls: tls,
                    gateway: gateway,
                    viewer: viewer,
                    operator: `operator`,
                    admin: admin,
                    pool: pool,
                    databaseURI: uri
                )
                try await body(bench)
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private static func record(
        _ world: TestFleet,
        pool: PostgresPool,
        server: PostgresConfiguration,
        revocationsPerHourMax: Int
    ) throws -> (OperatorRecord, PostgresPresentedCertificates) {
        // None of them listens, so what was said of a certificate once is said again.
        let statuses = PostgresCertificateStatuses(
            pool: pool,
            changes: RecordChanges(server, logger: .quiet),
            logger: .quiet
        )
        let signer = try world.root.signed("Trust Store Signer", role: .trustStoreSigner, now: Date())
        let presented = PostgresPresentedCertificates(
            pool: pool,
            changes: RecordChanges(server, logger: .quiet),
            logger: .quiet
        )
        let made = OperatorRecord(
            fleets: PostgresFleetSource(pool: pool, changes: RecordChanges(server, logger: .quiet), logger: .quiet),
            administration: FleetAdministration(
                registry: PostgresFleetRegistry(pool: pool),
                signer: try TrustStoreSigner(key: signer.key, chain: [signer.der]),
                trustStoreLifetime: .seconds(30 * 86_400)
            ),
            devices: PostgresDeviceRegister(pool: pool),
            revocations: PostgresRevocationRegister(pool: pool, perHourMax: revocationsPerHourMax),
            revocationRequests: PostgresRevocationRequests(pool: pool, perHourMax: revocationsPerHourMax),
            revocationPreviews: PostgresRevocationPreview(pool: pool),
            registrations: PostgresRegistrationRegister(pool: pool),
            approvals: PostgresApprovalRegister(pool: pool),
            bootstrap: PostgresBootstrapRegister(pool: pool),
            attempts: PostgresAttemptLog(pool: pool),
            operators: PostgresOperatorRegister(pool: pool),
            audit: PostgresAuditLog(pool: pool),
            trust: PostgresTrustReading(pool: pool),
            progress: PostgresRevocationProgress(pool: pool, statuses: statuses, hasBroker: true),
            agents: PostgresAgents(pool: pool),
            idempotency: PostgresIdempotencyRecord(pool: pool),
            authorization: DeviceAuthorization(record: presented)
        )
        return (made, presented)
    }

    private static func create(_ world: TestFleet, _ administration: FleetAdministration) async throws {
        let authorities = [world.manufacturer, world.otherManufacturer, world.claims]
        _ = try await administration.createFleet(
            name: world.fleet.name,
            policy: .open,
            profile: world.fleet.profile,
            issuer: IssuerRegistration(name: world.issuer.name, chain: world.issuer.chain),
            anchors: zip(world.fleet.record.anchors, authorities).map { anchor, authority in
                .init(
                    name: anchor.name,
                    certificate: authority.der,
                    rule: anchor.rule,
                    keyChange: anchor.keyChange,
                    limits: anchor.limits
                )
            },
            actor: "test"
        )
    }

    /// A server certificate for localhost.
    static func identity(by ca: TestAuthority) throws -> OperatorTLS.Identity {
        let server = try ca.signed(
            "operator front",
            role: .tlsServer(dnsNames: ["localhost"], addresses: [[127, 0, 0, 1]]),
            now: Date()
        )
        return OperatorTLS.Identity(
            chain: [try NIOSSLCertificate(bytes: server.der, format: .der)],
            key: try NIOSSLPrivateKey(bytes: server.key.pem(passphrase: nil), format: .pem)
        )
    }

    private static func add(
        _ name: String,
        _ role: OperatorRole,
        record: OperatorRecord,
        ca: TestAuthority,
        folder: TemporaryDirectory
    ) async throws -> Holder {
        let made = try ca.signed(name, role: .tlsClient, now: Date())
        try await record.operators.add(
            name,
            role: role,
            certificateSHA256: [UInt8](SHA256.hash(data: made.der)),
            notAfter: made.certificate.notValidAfter,
            actor: "test",
            at: Date()
        )
        return Holder(
            name: name,
            role: role,
            certificateFile: try folder.write("\(name).pem", pem(made.der).utf8),
            keyFile: try folder.write("\(name).key", made.key.pem(passphrase: nil))
        )
    }

    static func pem(_ der: [UInt8]) -> String {
        let lines = Data(der).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        return "-----BEGIN CERTIFICATE-----\n\(lines)\n-----END CERTIFICATE-----\n"
    }

    /// The roles of the cluster, made by its superuser.
    private static let roles = Once()
}

extension OperatorBench {
    /// Lets devices wait for an operator's word.
    func wait(_ devices: [String]) async throws {
        try await commit(devices.map { try EnrolledDevice(world, device: $0, at: Date()).waiting() })
    }

    /// Enrolls devices named `prefix`0, `prefix`1, …, each a second before the one before it.
    func enroll(_ count: Int, prefix: String = "meter-") async throws {
        // One clock for all: certificates end at whole seconds, and a second must lie between any two of them.
        let now = Date()
        try await commit(
            (0..<count).map { number in
                let at = now.addingTimeInterval(Double(-number))
                return try EnrolledDevice(world, device: "\(prefix)\(number)", at: at).entry()
            }
        )
    }

    /// Commits entries as the device front would.
    private func commit(_ entries: [EnrollmentEntry]) async throws {
        let commits = CommitGroup(pool: pool, logger: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await commits.run() }
            for entry in entries {
                let outcome = try await commits.commit(entry)
                #expect(outcome == .recorded)
            }
            group.cancelAll()
        }
    }
}

/// An accepted enrollment, as it goes into the record.
struct EnrolledDevice {
    let world: TestFleet
    let device: String
    let at: Date
    let key: DeviceKey

    init(_ world: TestFleet, device: String, at: Date) throws {
        self.world = world
        self.device = device
        self.at = at
        key = try .make()
    }

    func entry() throws -> EnrollmentEntry {
        let names = try world.names(device)
        let certificate = try world.prepared(for: device, key: key.publicKey, at: at)
        let credential = [UInt8](SHA256.hash(data: Data(device.utf8)))
        var attempt = attempt
        attempt.device = names.device
        attempt.credentialKind = .idevid
        attempt.credentialSHA256 = credential
        attempt.credentialSubject = "serialNumber=\(device)"
        attempt.anchor = TestFleet.manufacturerID
        attempt.publicKeySHA256 = try key.sha256
        attempt.stage = .issue
        attempt.rule = "open-first"
        attempt.outcome = .issued
        attempt.issuer = world.fleet.record.issuerID
        attempt.serialNumber = certificate.serialNumber
        return EnrollmentEntry(
            attempt: attempt,
            issuance: Issuance(
                device: names.device,
                issuer: world.fleet.record.issuerID,
                certificate: certificate,
                publicKeySHA256: try key.sha256,
                replaces: nil,
                renewableSerialNumber: nil,
                idevidAnchor: TestFleet.manufacturerID
            )
        )
    }

    /// The device waits for an operator's word.
    func waiting() throws -> EnrollmentEntry {
        let device = try world.names(device).device
        var attempt = attempt
        attempt.device = device
        attempt.credentialKind = .idevid
        attempt.credentialSHA256 = [UInt8](repeating: 7, count: 32)
        attempt.anchor = TestFleet.manufacturerID
        attempt.publicKeySHA256 = try key.sha256
        attempt.stage = .policy
        attempt.rule = "approval-first"
        attempt.outcome = .pending
        return EnrollmentEntry(
            attempt: attempt,
            effect: .ask(ApprovalRequest(device: device, publicKeySHA256: try key.sha256, kind: .first))
        )
    }

    private var attempt: Attempt {
        Attempt(
            at: at,
            requestID: UUID(),
            fleet: world.fleet.id,
            fleetName: world.fleet.name,
            operation: .simpleEnroll,
            source: "192.0.2.7"
        )
    }
}
