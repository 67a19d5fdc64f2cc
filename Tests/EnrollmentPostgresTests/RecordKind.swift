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
        try await with(TestFleet(), body)
    }

    /// Lends a fresh record that knows this fleet, and another one.
    func with(_ world: TestFleet, _ body: @Sendable (RecordBench) async throws -> Void) async throws {
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
                    changeStanding: { record.change($0, of: fleet, $1) },
                    register: { record.register($0, $1, of: fleet) },
                    decide: { record.decide($0, publicKeySHA256: $1, of: fleet, $2 ? .approved : .rejected) },
                    blockAnchor: { record.setBlock(of: $0, isBlocked: $1) },
                    changeCredential: { sha256, change in
                        switch change {
                        case .block: record.setBlock(ofCredential: sha256, of: fleet, isBlocked: true)
                        case .unblock: record.setBlock(ofCredential: sha256, of: fleet, isBlocked: false)
                        case .limit(let limits): record.limit(credential: sha256, of: fleet, limits)
                        case .clear: break
                        }
                    }
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
                let clock = TestClock()
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
                    changeStanding: { device, change in
                        clock.advance(by: 1)
                        let before = try await PostgresDeviceRegister(pool: database.server)
                            .device(device, of: world.fleet.id)
                        let outcome = try await PostgresRevocationRegister(pool: database.server).change(
                            device,
                            of: world.fleet.id,
                            change,
                            actor: "operator ada",
                            at: clock.now
                        )
                        guard outcome != nil else { return nil }
                        return change.effect(on: before?.revocation?.reason)
                    },
                    register: { device, registration in
                        let register = PostgresRegistrationRegister(pool: database.server)
                        let fleet = world.fleet.id
                        if let registration {
                            _ = try await register.register(
                                device,
                                registration,
                                fleet: fleet,
                                actor: "operator ada",
                                at: TestClock.start
                            )
                        } else {
                            _ = try await register.remove(
                                device,
                                fleet: fleet,
                                actor: "operator ada",
                                at: TestClock.start
                            )
                        }
                    },
                    decide: { device, key, approve in
                        let register = PostgresApprovalRegister(pool: database.server)
                        let all = try await register.approvals(of: world.fleet.id, state: nil, after: nil, limit: 100)
                        for one in all where one.device == device.text && one.publicKeySHA256 == key {
                            _ = try await register.decide(
                                one.id,
                                of: world.fleet.id,
                                approve: approve,
                                comment: nil,
                                actor: "operator ada",
                                at: TestClock.start
                            )
                        }
                    },
                    blockAnchor: { anchor, isBlocked in
                        let name = world.fleet.record.anchors.first { $0.id == anchor }?.name ?? ""
                        _ = try await PostgresBootstrapRegister(pool: database.server).setBlock(
                            ofAnchor: name,
                            fleet: world.fleet.id,
                            isBlocked: isBlocked,
                            comment: "stolen",
                            actor: "operator ada",
                            at: TestClock.start
                        )
                    },
                    changeCredential: { sha256, change in
                        _ = try await PostgresBootstrapRegister(pool: database.server).change(
                            sha256,
                            of: world.fleet.id,
                            change,
                            actor: "operator ada",
                            at: TestClock.start
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
    /// What an operator did to a device; nil if it is not known.
    let changeStanding: @Sendable (DeviceID, StandingChange) async throws -> StandingChange.Effect?
    /// Nil removes the registration.
    let register: @Sendable (DeviceID, Registration?) async throws -> Void
    /// An operator's word on a device that waits with a key (its SHA-256): true approves.
    let decide: @Sendable (DeviceID, [UInt8], Bool) async throws -> Void
    let blockAnchor: @Sendable (AnchorID, Bool) async throws -> Void
    let changeCredential: @Sendable ([UInt8], CredentialChange) async throws -> Void

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
