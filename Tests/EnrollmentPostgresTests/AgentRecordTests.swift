import Crypto
import Enrollment
import EnrollmentPostgres
import Foundation
import OpenSSL
import PKI
import Postgres
import TestKit
import Testing

/// Agents' reports in the record, and how far they and others say that a revocation has come.
struct AgentRecordTests {
    /// A fleet with a revoked-to-be device and an agent, its lists signed, and a server that listens.
    private struct Scene: Sendable {
        let bench: CRLBench
        let device: DeviceID
        let serial: [UInt8]
        let shard: Int
        let agents: PostgresAgents
        let progress: PostgresRevocationProgress

        func revoke(_ reason: RevocationReason = .keyCompromise) async throws {
            try await bench.change(device, .revoke(reason, comment: nil))
            try await bench.lists(serial, in: shard, for: reason.code)
        }

        func report(_ agent: String, list number: Int64, sessionsThrough: Int64?) async throws -> AgentAdvance? {
            let authority = [UInt8](SHA256.hash(data: bench.world.issuer.der))
            return try await agents.report(
                AgentReport(
                    trustStoreVersion: 1,
                    lists: [authority: number],
                    sessionsThrough: sessionsThrough,
                    faults: 0
                ),
                of: try bench.world.names(agent),
                at: bench.clock.now
            )
        }

        /// The number of the list of all.
        var number: Int64 {
            get throws { try #require(try bench.list(CRLShards.complete)).number }
        }

        var now: RevocationProgress {
            get async throws { try #require(try await progress.progress(of: device, fleet: bench.world.fleet.id)) }
        }

        /// What lacks the revocation still.
        var lacking: [String] {
            get async throws {
                try await now.steps.filter { !$0.isReached }
                    .map { [$0.stage.rawValue, $0.place].compactMap(\.self).joined(separator: " ") }
            }
        }
    }

    private static func with(_ body: @Sendable (Scene) async throws -> Void) async throws {
        try await CRLBench.with { bench in
            let (device, serial, shard) = try await bench.enroll("meter-1")
            _ = try await bench.enroll("gateway-1")
            let pool = bench.database.server
            let changes = RecordChanges(bench.database.serverConfiguration, logger: .quiet)
            let statuses = PostgresCertificateStatuses(pool: pool, changes: changes, logger: .quiet)
            let scene = Scene(
                bench: bench,
                device: device,
                serial: serial,
                shard: shard,
                agents: PostgresAgents(pool: pool),
                progress: PostgresRevocationProgress(pool: pool, statuses: statuses, hasBroker: true)
            )
            try await bench.publishing {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await changes.run() }
                    group.addTask { try await statuses.run() }
                    try await bench.settled()
                    try await eventually { statuses.changes > 0 }
                    try await body(scene)
                    group.cancelAll()
                }
            }
        }
    }

    @Test func `a revocation is followed from its commit to the agent that ended the session`() async throws {
        try await Self.with { scene in
            #expect(try await scene.progress.progress(of: scene.device, fleet: scene.bench.world.fleet.id) == nil)
            #expect(try await scene.report("gateway-1", list: 1, sessionsThrough: 0) == AgentAdvance())
            try await scene.revoke()
            try await eventually { try await !scene.lacking.contains("ocsp") }
            #expect(try await scene.lacking == ["published", "agents gateway-1", "sessions gateway-1"])
            let steps = try await scene.now.steps
            #expect(steps.map(\.stage) == [.committed, .ocsp, .crl, .crlComplete, .published, .agents, .sessions])
            #expect(steps[2].place == "example/\(scene.shard)" && steps[3].place == "example")
            #expect(steps[2].at == scene.bench.clock.now)

            let changes = RecordChanges(scene.bench.database.serverConfiguration, logger: .quiet)
            let outbox = PostgresOutbox(pool: scene.bench.database.server, changes: changes)
            while try await outbox.publishWaiting(limit: 10, { _ in }) > 0 {}
            #expect(try await scene.lacking == ["agents gateway-1", "sessions gateway-1"])

            scene.bench.clock.advance(by: 2)
            let inForce = try await scene.report("gateway-1", list: scene.number, sessionsThrough: 0)
            #expect(inForce?.inForce == [2] && inForce?.sessionsEnded == [])
            #expect(try await scene.lacking == ["sessions gateway-1"])
            scene.bench.clock.advance(by: 1)
            let sequence = try await scene.now.sequence
            let ended = try await scene.report("gateway-1", list: scene.number, sessionsThrough: sequence)
            #expect(ended?.inForce == [] && ended?.sessionsEnded == [3])
            #expect(try await scene.now.isComplete)

            // A report that comes twice, or late, takes nothing back and is timed once.
            #expect(
                try await scene.report("gateway-1", list: scene.number, sessionsThrough: sequence) == AgentAdvance()
            )
            #expect(try await scene.report("gateway-1", list: 1, sessionsThrough: 0) == AgentAdvance())
            #expect(try await scene.now.isComplete)
        }
    }

    @Test func `a hold that becomes a compromise is followed anew, and a released device is not followed`() async throws
    {
        try await Self.with { scene in
            try await scene.revoke(.certificateHold)
            let first = try await scene.now
            scene.bench.clock.advance(by: 60)
            try await scene.revoke(.keyCompromise)
            let second = try await scene.now
            #expect(second.at == first.at && second.changedAt == first.at.addingTimeInterval(60))
            #expect((second.sequence ?? 0) > (first.sequence ?? 0))
            _ = try await scene.bench.enroll("meter-2")
            let other = try scene.bench.world.names("meter-2").device
            try await scene.bench.change(other, .revoke(.certificateHold, comment: nil))
            try await scene.bench.change(other, .release(comment: nil))
            #expect(try await scene.progress.progress(of: other, fleet: scene.bench.world.fleet.id) == nil)
        }
    }

    @Test func `an agent that comes later has no sessions of before to end`() async throws {
        try await Self.with { scene in
            try await scene.revoke()
            scene.bench.clock.advance(by: 3_600)
            #expect(
                try await scene.report("gateway-1", list: scene.number, sessionsThrough: 0) == AgentAdvance()
            )
            #expect(try await !scene.lacking.contains("sessions gateway-1"))
        }
    }

    @Test func `a CRL counts once the server that is asked gives it out`() async throws {
        try await Self.with { scene in
            let pool = scene.bench.database.server
            let changes = RecordChanges(scene.bench.database.serverConfiguration, logger: .quiet)
            let behind = PublishedCRLs()
            let progress = PostgresRevocationProgress(
                pool: pool,
                statuses: PostgresCertificateStatuses(pool: pool, changes: changes, logger: .quiet),
                crls: behind,
                hasBroker: false
            )
            func reached() async throws -> [Bool] {
                let now = try #require(
                    try await progress.progress(of: scene.device, fleet: scene.bench.world.fleet.id)
                )
                return now.lists.map(\.isReached)
            }
            try await scene.revoke()
            #expect(try await reached() == [false, false])
            try await CRLFollower(pool: pool, changes: changes, published: behind, logger: .quiet).load()
            #expect(try await reached() == [true, true])
        }
    }

    @Test func `an agent that makes up CAs report after report fills no table`() async throws {
        try await Self.with { scene in
            let own = [UInt8](SHA256.hash(data: scene.bench.world.issuer.der))
            for round in 0..<6 {
                var lists = [own: Int64(round)]
                for number in 1..<UInt8(AgentReport.listsMax) {
                    lists[[UInt8](repeating: number, count: 31) + [UInt8(round)]] = 1
                }
                _ = try await scene.agents.report(
                    AgentReport(trustStoreVersion: 1, lists: lists, sessionsThrough: nil, faults: 0),
                    of: try scene.bench.world.names("gateway-1"),
                    at: scene.bench.clock.now
                )
            }
            let entry = try #require(try await scene.agents.agents(of: scene.bench.world.fleet.id).first)
            #expect(entry.lists.count == AgentReport.listsMax)
            // What it says of our own still counts.
            #expect(entry.lists.first { $0.authoritySHA256 == own }?.number == 5)
        }
    }

    @Test func `strangers and revoked agents are not noted, nor more agents than a fleet may have`() async throws {
        try await Self.with { scene in
            let fleet = scene.bench.world.fleet.id
            #expect(try await scene.report("nobody", list: 1, sessionsThrough: nil) == nil)
            #expect(try await scene.report("gateway-1", list: 1, sessionsThrough: nil) != nil)
            let entry = try #require(try await scene.agents.agents(of: fleet).first)
            #expect(entry.device == "gateway-1" && entry.trustStoreVersion == 1 && entry.sessionsThrough == nil)
            #expect(entry.lists.map(\.number) == [1])

            _ = try await scene.bench.database.owner.query(
                """
                insert into devices select (jsonb_populate_record(d, jsonb_build_object('device_id', 'gw-' || n))).*
                from devices d cross join generate_series(1, \(PostgresAgents.agentsMax)) as n
                where d.device_id = 'gateway-1'
                """
            )
            _ = try await scene.bench.database.owner.query(
                """
                insert into agents (fleet_id, device_id, reported_at, faults)
                select fleet_id, device_id, \(scene.bench.clock.now), 0 from devices
                where device_id like 'gw-%' and device_id <> 'gw-1'
                """
            )
            #expect(try await scene.report("gw-1", list: 1, sessionsThrough: nil) == nil)
            #expect(try await scene.report("gw-2", list: 1, sessionsThrough: nil) != nil)

            try await scene.bench.change(
                try scene.bench.world.names("gateway-1").device,
                .revoke(.unspecified, comment: nil)
            )
            #expect(try await scene.report("gateway-1", list: 2, sessionsThrough: nil) == nil)
            #expect(try await !scene.agents.agents(of: fleet).contains { $0.device == "gateway-1" })
        }
    }
}
