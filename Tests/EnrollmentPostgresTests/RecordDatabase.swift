import Enrollment
import EnrollmentPostgres
import Foundation
import Logging
import PKI
import Postgres
import Schema
import TestKit
import TestPeers
import Testing

/// A migrated database of its own: the owner's view of it for the test, the server's for what is tested.
struct RecordDatabase: Sendable {
    /// As `muster_owner`, who made the tables.
    let owner: PostgresPool
    /// As the cluster's superuser.
    let superuser: PostgresPool
    /// As `muster_server`, with its few rights (db/roles.sql).
    let server: PostgresPool
    let serverConfiguration: PostgresConfiguration

    /// How long PostgreSQL may take to answer where many tests share a small machine.
    private static let patience = Duration.seconds(50)

    /// Lends a fresh one. Not all tests have theirs at once: the cluster takes so many connections only.
    static func with(_ body: @Sendable (RecordDatabase) async throws -> Void) async throws {
        await Turns.shared.take()
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await lend(body)) } catch { outcome = .failure(error) }
        await Turns.shared.giveBack()
        try outcome.get()
    }

    private static func lend(_ body: @Sendable (RecordDatabase) async throws -> Void) async throws {
        try await PostgreSQLCluster.shared.withDatabase { uri in
            let superuser = pool(
                PostgresConfiguration(connectionString: uri, connectTimeout: patience, callTimeout: patience)
            )
            defer { superuser.close() }
            try await roles.run { try await superuser.withConnection { try await $0.run(script: Schema.roles) } }
            let rows = try await superuser.query("select current_database()::text")
            let name: String = try rows[0].decode()
            try await superuser.withConnection { connection in
                try await connection.run(script: "alter database \(name) owner to muster_owner")
            }
            func configuration(_ user: String) -> PostgresConfiguration {
                PostgresConfiguration(
                    connectionString: uri.replacing("//postgres@", with: "//\(user)@"),
                    connectTimeout: patience,
                    callTimeout: patience
                )
            }
            let database = RecordDatabase(
                owner: pool(configuration("muster_owner")),
                superuser: superuser,
                server: pool(configuration("muster_server")),
                serverConfiguration: configuration("muster_server")
            )
            defer {
                database.owner.close()
                database.server.close()
            }
            try await database.owner.withConnection { _ = try await SchemaGuard.migrator.migrate(on: $0) }
            try await body(database)
        }
    }

    static func pool(_ configuration: PostgresConfiguration) -> PostgresPool {
        PostgresPool(
            PostgresPool.Configuration(connection: configuration, acquireTimeout: patience),
            logger: .quiet
        )
    }

    /// Another server process on the same database.
    func replica() -> PostgresPool { Self.pool(serverConfiguration) }

    /// Makes the fleet of `world`; the ids are those that `world` expects if it is the first one.
    func create(_ world: TestFleet, clock: TestClock = TestClock()) async throws {
        let authorities = [world.manufacturer, world.otherManufacturer, world.claims]
        let made = try await administration(world, clock: clock).createFleet(
            name: world.fleet.name,
            policy: world.fleet.record.policy,
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
            actor: "operator ada"
        )
        guard made else { throw TestFleetError.noFleet }
    }

    func administration(_ world: TestFleet, clock: TestClock = TestClock()) throws -> FleetAdministration {
        let signer = try world.root.signed("Trust Store Signer", role: .trustStoreSigner)
        return FleetAdministration(
            registry: PostgresFleetRegistry(pool: server),
            signer: try TrustStoreSigner(key: signer.key, chain: [signer.der]),
            trustStoreLifetime: .seconds(30 * 86_400),
            now: { clock.now }
        )
    }

    /// Runs `commits` for as long as `body` runs.
    func running(_ commits: CommitGroup..., body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for one in commits { group.addTask { try await one.run() } }
            try await body()
            group.cancelAll()
        }
    }

    /// Commits entries one after the other, each of which must go through.
    func commit(_ entries: [EnrollmentEntry]) async throws {
        let commits = CommitGroup(pool: server, logger: .quiet)
        try await running(commits) {
            for entry in entries {
                let outcome = try await commits.commit(entry)
                #expect(outcome == .recorded)
            }
        }
    }

    /// The one number that a query of the owner gives.
    func number(_ query: PostgresQuery) async throws -> Int64 { try await owner.query(query)[0].decode() }

    /// The roles of the cluster, made by its superuser.
    private static let roles = Once()
}

/// Asks again until `condition` holds, for at most a minute.
func eventually(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    throw Late()
}

struct Late: Error {}
