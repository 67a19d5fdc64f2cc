import Enrollment
import EnrollmentPostgres
import Foundation
import OpenSSL
import PKI
import TestKit
import Testing

/// A fleet whose CRLs are to be signed.
struct CRLBench: Sendable {
    let database: RecordDatabase
    let world: TestFleet
    let clock: TestClock
    let crls = PublishedCRLs()
    let reading: PostgresCRLReading

    /// Runs so many servers' publishers, with one follower, while `body` runs.
    func publishing(_ servers: Int = 1, body: () async throws -> Void) async throws {
        let changes = RecordChanges(database.serverConfiguration, logger: .quiet)
        let directory = FleetDirectory(defaultFleet: nil)
        directory.replace(with: [world.fleet])
        let publisher = CRLPublisher(
            database: database.serverConfiguration,
            changes: changes,
            issuers: [world.issuer],
            configuration: .init(lifetime: .seconds(7 * 86_400), publicURL: "http://pki.example"),
            directory: directory,
            now: { clock.now },
            logger: .quiet
        )
        let follower = CRLFollower(pool: database.server, changes: changes, published: crls, logger: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await changes.run() }
            group.addTask { try await follower.run() }
            for _ in 0..<servers { group.addTask { try await publisher.run() } }
            try await body()
            group.cancelAll()
        }
    }

    func enroll(_ device: String) async throws -> (DeviceID, serial: [UInt8], shard: Int) {
        let draft = try EntryDraft(world, device: device)
        let entry = try draft.issuing()
        try await database.commit([entry])
        let issued = try #require(try entry.issuance?.certificate.signed())
        return (try world.names(device).device, issued.serialNumber, issued.crlShard)
    }

    func change(_ device: DeviceID, _ change: StandingChange) async throws {
        _ = try await PostgresRevocationRegister(pool: database.server).change(
            device,
            of: world.fleet.id,
            change,
            actor: "operator ada",
            at: clock.now
        )
    }

    func list(_ shard: Int) throws -> RevocationList? {
        try crls.list(issuer: world.issuer.name, shard: shard).map {
            try RevocationList(der: $0.list.der, issuer: world.issuer.der)
        }
    }

    /// The reason that the shard's list and the list of all have for a serial number, once they agree.
    func lists(_ serial: [UInt8], in shard: Int, for reason: UInt8?) async throws {
        try await eventually {
            try [shard, CRLShards.complete].allSatisfy { number in
                guard let list = try list(number) else { return false }
                return list.entries.first { $0.serialNumber == serial }?.reason == reason
            }
        }
    }

    func settled() async throws {
        try await eventually { crls.numbers.count == TestFleet.crlShards + 1 }
    }

    /// Lends one with a database of its own.
    static func with(_ body: @Sendable (CRLBench) async throws -> Void) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            try await body(
                CRLBench(
                    database: database,
                    world: world,
                    clock: TestClock(),
                    reading: PostgresCRLReading(pool: database.server)
                )
            )
        }
    }
}
