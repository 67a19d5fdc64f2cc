import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit

/// The records that the conformance suite runs on.
enum RecordKind: String, CaseIterable, Sendable {
    case memory
    case postgresql

    /// Lends a fresh record that knows two fleets.
    func with(_ body: @Sendable (RecordBench) async throws -> Void) async throws {
        let world = try TestFleet()
        switch self {
        case .memory:
            let record = InMemoryEnrollmentRecord()
            let fleet = world.fleet.id
            try await body(
                RecordBench(
                    world: world,
                    record: record,
                    otherFleet: FleetID(2),
                    useCurrent: { record.useCurrent($0, of: fleet) },
                    revokeCurrent: { record.revokeCurrent($0, of: fleet) }
                )
            )
        case .postgresql:
            try await RecordDatabase.with { database in
                try await database.create(world)
                try await database.create(TestFleet(name: "valves", id: FleetID(2), issuerName: "valves"))
                let commits = CommitGroup(pool: database.server, logger: .quiet)
                let outbox = PostgresOutbox(
                    pool: database.server,
                    changes: RecordChanges(database.serverConfiguration, logger: .quiet)
                )
                let bench = RecordBench(
                    world: world,
                    record: PostgresEnrollmentRecord(pool: database.server, commits: commits),
                    otherFleet: FleetID(2),
                    useCurrent: { device in
                        // A device proves that it uses its certificate by acknowledging a trust store with it.
                        _ = try await outbox.acknowledge(
                            fleet: world.fleet.name,
                            device: device,
                            version: 1,
                            at: TestClock.start
                        )
                    },
                    revokeCurrent: { device in
                        try await database.owner.query(
                            """
                            update certificates c set status = 'revoked' from devices d
                            where d.device_id = \(device.text) and c.serial = d.current_serial
                            """
                        )
                    }
                )
                try await database.running(commits) { try await body(bench) }
            }
        }
    }
}

/// A record of one kind, with what tests do to it beside the port.
struct RecordBench: Sendable {
    let world: TestFleet
    let record: any EnrollmentRecord
    let otherFleet: FleetID
    let useCurrent: @Sendable (DeviceID) async throws -> Void
    let revokeCurrent: @Sendable (DeviceID) async throws -> Void

    /// The use case on this record.
    func enroll(
        _ client: PresentedClient,
        _ request: [UInt8],
        _ operation: Attempt.Operation = .simpleEnroll
    ) async -> EnrollmentResult {
        let service = EnrollmentService(record: record, now: { TestClock.start }, logger: .quiet)
        return await service.enroll(
            EnrollmentSubmission(
                fleet: world.fleet,
                operation: operation,
                client: client,
                request: .success(request),
                source: "192.0.2.7",
                requestID: UUID()
            )
        )
    }
}
