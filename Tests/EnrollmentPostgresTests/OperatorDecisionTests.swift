import Enrollment
import EnrollmentPostgres
import Foundation
import PKI
import Postgres
import TestKit
import Testing

/// What operators say of devices that wait, of credentials, and of each other.
struct OperatorDecisionTests {
    private func with(_ body: @Sendable (RecordDatabase, TestFleet) async throws -> Void) async throws {
        try await RecordDatabase.with { database in
            let world = try TestFleet()
            try await database.create(world)
            try await body(database, world)
        }
    }

    private func actions(_ database: RecordDatabase, about subject: String) async throws -> [String] {
        try await PostgresAuditLog(pool: database.server).entries(subject: subject, before: nil, limit: 100)
            .reversed().map(\.entry.action)
    }

    @Test func `approvals are paged oldest first, by state or all`() async throws {
        try await with { database, world in
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            let register = PostgresApprovalRegister(pool: database.server)
            let fleet = world.fleet.id
            try await database.running(commits) {
                for number in 0..<10 {
                    let kind: ApprovalRequest.Kind = number == 3 ? .keyChange : .first
                    _ = try await commits.commit(EntryDraft(world, device: "meter-\(number)").asking(kind))
                }
            }
            func walk(_ state: ApprovalState?) async throws -> [String] {
                var found: [ApprovalEntry] = []
                while true {
                    let page = try await register.approvals(of: fleet, state: state, after: found.last?.id, limit: 3)
                    if page.isEmpty { return found.map(\.device) }
                    found += page
                }
            }
            let all = (0..<10).map { "meter-\($0)" }
            #expect(try await walk(nil) == all)
            #expect(try await walk(.pending) == all)
            let third = try await register.approvals(of: fleet, state: nil, after: nil, limit: 10)[3]
            #expect(third.kind == .keyChange)
            #expect(third.anchor == "manufacturer")
            #expect(third.requestedAt == TestClock.start)
            func decide(_ approve: Bool, comment: String?) async throws -> ApprovalEntry? {
                try await register.decide(
                    third.id,
                    of: fleet,
                    approve: approve,
                    comment: comment,
                    actor: "operator ada",
                    at: TestClock.start
                )
            }
            let decided = try #require(await decide(true, comment: "known to me"))
            #expect(decided.state == .approved)
            #expect(decided.decidedBy == "operator ada")
            #expect(decided.comment == "known to me")
            #expect(try await decide(true, comment: "again")?.comment == "known to me")
            #expect(try await decide(false, comment: nil)?.state == .rejected)
            #expect(try await walk(.rejected) == ["meter-3"])
            #expect(try await walk(.approved).isEmpty)
            #expect(try await walk(.pending).count == 9)
            #expect(try await walk(nil) == all)
            #expect(
                try await actions(database, about: "meter-3@meters")
                    == ["approval.requested", "approval.approved", "approval.rejected"]
            )
            let elsewhere = try await register.decide(
                third.id,
                of: FleetID(2),
                approve: true,
                comment: nil,
                actor: "operator ada",
                at: TestClock.start
            )
            #expect(elsewhere == nil)
        }
    }

    @Test func `credentials are blocked, limited and cleared, seen or not, and each change is told once`() async throws
    {
        try await with { database, world in
            let register = PostgresBootstrapRegister(pool: database.server)
            let fleet = world.fleet.id
            func credential(_ number: UInt8) -> [UInt8] { [UInt8](repeating: number, count: 32) }
            func change(_ number: UInt8, _ change: CredentialChange) async throws -> CredentialEntry {
                try await register.change(
                    credential(number),
                    of: fleet,
                    change,
                    actor: "operator ada",
                    at: TestClock.start
                )
            }
            let never = try await change(9, .unblock)
            #expect(never.sha256 == credential(9))
            #expect(try await register.credential(credential(9), of: fleet) == nil)
            for number in UInt8(1)...5 {
                #expect(try await change(number, .block(comment: "stolen")).block?.comment == "stolen")
            }
            #expect(try await change(2, .block(comment: "again")).block?.comment == "stolen")
            #expect(try await change(2, .unblock).block == nil)
            let limits = BootstrapLimits(devicesMax: 5)
            #expect(try await change(2, .limit(limits)).limits == limits)
            #expect(try await change(2, .limit(limits)).limits == limits)
            let subject = "credential \(String(repeating: "02", count: 32))@meters"
            #expect(
                try await actions(database, about: subject)
                    == ["credential.blocked", "credential.unblocked", "credential.limited"]
            )
            func walk(_ selection: CredentialSelection) async throws -> [UInt8] {
                var found: [CredentialEntry] = []
                while true {
                    let page = try await register.credentials(
                        of: fleet,
                        selection,
                        after: found.last?.sha256,
                        limit: 2
                    )
                    if page.isEmpty { return found.compactMap(\.sha256.first) }
                    found += page
                }
            }
            #expect(try await walk(.all) == [1, 2, 3, 4, 5])
            #expect(try await walk(.blocked) == [1, 3, 4, 5])
            #expect(try await walk(.marked).isEmpty)
        }
    }

    @Test func `anchors are listed with what they let in`() async throws {
        try await with { database, world in
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            let register = PostgresBootstrapRegister(pool: database.server)
            try await database.running(commits) {
                for number in 0..<3 {
                    _ = try await commits.commit(EntryDraft(world, device: "meter-\(number)").byClaim().issuing())
                }
            }
            let anchors = try await register.anchors(of: world.fleet.id)
            #expect(anchors.map(\.name) == ["claims", "manufacturer", "other-manufacturer"])
            #expect(anchors.map(\.devices) == [3, 0, 0])
            #expect(anchors[0].rule == .requestCommonName)
            #expect(anchors[0].keyChange == .refuse)
            let credential = try #require(
                await register.credentials(of: world.fleet.id, .all, after: nil, limit: 10).first
            )
            #expect(credential.devices == 3)
            #expect(credential.kind == .claim)
            #expect(credential.anchor == "claims")
        }
    }

    @Test func `an operator is known by a certificate until removed, and comes back with another one only`()
        async throws
    {
        try await with { database, _ in
            let register = PostgresOperatorRegister(pool: database.server)
            let end = TestClock.start.addingTimeInterval(365 * .day)
            func certificate(_ number: UInt8) -> [UInt8] { [UInt8](repeating: number, count: 32) }
            func add(_ name: String, _ role: OperatorRole, _ number: UInt8) async throws {
                try await register.add(
                    name,
                    role: role,
                    certificateSHA256: certificate(number),
                    notAfter: end,
                    actor: "operator root",
                    at: TestClock.start
                )
            }
            try await add("ada", .viewer, 1)
            try await add("ada", .admin, 2)
            try await add("bob", .operator, 3)
            #expect(try await register.holder(ofCertificate: certificate(1))?.role == .admin)
            #expect(try await register.holder(ofCertificate: certificate(9)) == nil)
            await #expect(throws: RecordError.self) { try await add("bob", .operator, 1) }
            #expect(try await register.operators().map(\.name) == ["ada", "bob"])
            func remove(_ name: String) async throws -> Bool {
                try await register.remove(name, actor: "operator root", at: TestClock.start)
            }
            #expect(try await remove("ada"))
            #expect(try await remove("ada"))
            #expect(try await remove("eve") == false)
            #expect(try await register.holder(ofCertificate: certificate(2)) == nil)
            #expect(try await register.operators().first?.removedAt == TestClock.start)
            try await add("ada", .viewer, 4)
            #expect(try await register.holder(ofCertificate: certificate(4))?.role == .viewer)
            #expect(try await register.holder(ofCertificate: certificate(1)) == nil)
            #expect(
                try await actions(database, about: "operator ada")
                    == ["operator.added", "operator.changed", "operator.removed", "operator.changed"]
            )
        }
    }

    @Test func `the log is paged newest first`() async throws {
        try await with { database, _ in
            let log = PostgresAuditLog(pool: database.server)
            let all = try await log.entries(subject: nil, before: nil, limit: 100)
            #expect(all.map(\.sequence) == [3, 2, 1])
            #expect(try await log.entries(subject: nil, before: 3, limit: 1).map(\.sequence) == [2])
            #expect(try await log.entries(subject: "meters", before: nil, limit: 100).map(\.sequence) == [3, 2])
        }
    }

    @Test func `issuers, and who holds which trust store`() async throws {
        try await with { database, world in
            let reading = PostgresTrustReading(pool: database.server)
            let issuers = try await reading.issuers()
            #expect(issuers.map(\.name) == ["example"])
            #expect(issuers.first?.chain == world.issuer.chain.der)
            #expect(issuers.first?.fleets == ["meters"])
            let commits = CommitGroup(pool: database.server, logger: .quiet)
            let outbox = PostgresOutbox(
                pool: database.server,
                changes: RecordChanges(database.serverConfiguration, logger: .quiet)
            )
            try await database.running(commits) {
                for number in 0..<3 {
                    _ = try await commits.commit(EntryDraft(world, device: "meter-\(number)").issuing())
                }
            }
            #expect(try await reading.trustStore(of: world.fleet.id)?.publishedAt == nil)
            _ = try await outbox.publishWaiting(limit: 10) { _ in }
            _ = try await outbox.acknowledge(
                fleet: world.fleet.name,
                device: world.names("meter-1").device,
                version: 1,
                at: TestClock.start
            )
            let store = try #require(await reading.trustStore(of: world.fleet.id))
            #expect(store.version.version == 1)
            #expect(store.publishedAt != nil)
            #expect(
                store.holders == [
                    TrustStoreHolders(version: 1, devices: 1), TrustStoreHolders(version: 0, devices: 2),
                ]
            )
            #expect(try await reading.trustStore(of: FleetID(9)) == nil)
        }
    }
}
