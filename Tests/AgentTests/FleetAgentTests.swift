import Agent
import Foundation
import OpenSSL
import PKI
import Synchronization
import TestKit
import TestPeers
import Testing

/// What may take the place of the files in force.
@Suite struct FleetAgentTests {
    /// A bench whose agent has taken a trust store of version 3 and a list of number 7.
    private static func served() async throws -> (AgentBench, FleetAgent, list: [UInt8]) {
        let bench = try AgentBench()
        try bench.publishTrustStore(version: 3)
        let list = try bench.publishList(number: 7, revoked: [1])
        let agent = try bench.agent()
        let outcome = await agent.look()
        #expect(outcome.changed && outcome.isComplete)
        return (bench, agent, list)
    }

    @Test func `all files are there after the first look, as openssl finds them, and the terminator read them once`()
        async throws
    {
        let (bench, agent, list) = try await Self.served()
        #expect(bench.file("crl.pem") == AgentBench.pem(list))
        let capath = bench.folder.path + "/capath"
        try bench.folder.write("issuing.der", bench.issuing.der)
        let verified = try await Program.run(
            "openssl",
            ["verify", "-no-CAfile", "-CApath", capath, "-partial_chain", bench.folder.path + "/issuing.der"]
        )
        #expect(verified.succeeded, "\(verified.errorOutput)")
        // What `openssl rehash` makes of the same certificates.
        let theirs = try TemporaryDirectory(prefix: "rehash")
        for (name, authority) in [("a.pem", bench.issuing), ("b.pem", bench.root)] {
            let pem = try await Program.run("openssl", ["x509", "-inform", "DER"], input: authority.der)
            try theirs.write(name, pem.output)
        }
        _ = try await Program.run("openssl", ["rehash", theirs.path])
        let hashed = try FileManager.default.contentsOfDirectory(atPath: theirs.path).filter { !$0.hasSuffix(".pem") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: capath).sorted() == hashed.sorted())
        let store = String(decoding: try #require(bench.file("truststore.pem")), as: UTF8.self)
        #expect(store.components(separatedBy: "BEGIN CERTIFICATE").count == 3)
        #expect(bench.scene.withLock { $0.reloads.count } == 1)
        #expect(bench.scene.withLock { $0.acknowledged } == [3])

        let second = await agent.look()
        #expect(!second.changed && !second.isAwaitingList && second.isComplete)
        #expect(bench.scene.withLock { $0.reloads.count } == 1)
        #expect(bench.scene.withLock { $0.unchanged } == 2)
    }

    /// A list that must not come into force, and what the status says of it.
    struct BadList: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let reason: String
        let publish: @Sendable (AgentBench) throws -> Void

        init(_ name: String, _ reason: String, _ publish: @escaping @Sendable (AgentBench) throws -> Void) {
            testDescription = name
            self.reason = reason
            self.publish = publish
        }
    }

    private static func put(_ octets: [UInt8], _ bench: AgentBench) {
        bench.scene.withLock { $0.lists[AgentBench.key(bench.issuing)] = octets }
    }

    static let badLists = [
        BadList("no octets", "is empty") { put([], $0) },
        BadList("no list", "does not verify") { put(Array("nonsense".utf8), $0) },
        BadList("cut off", "does not verify") { bench in
            put(try bench.publishList(number: 8).dropLast(), bench)
        },
        BadList("one bit other", "does not verify") { bench in
            var der = try bench.publishList(number: 8)
            der[der.count - 3] ^= 1
            put(der, bench)
        },
        BadList("expired", "has expired") { try $0.publishList(number: 8, at: -2 * .day, lifetime: .day) },
        BadList("older", "is older than the one in force") { try $0.publishList(number: 6) },
        BadList("of the same number", "another list with the number in force") { try $0.publishList(number: 7) },
        BadList("of the future", "lies ahead") { try $0.publishList(number: 8, at: 301) },
        BadList("of another CA", "does not verify") { try $0.publishList(number: 8, by: $0.root) },
        BadList("of one shard", "does not list all") { try $0.publishList(number: 8, places: ["http://a/crl/1.crl"]) },
        BadList("a delta", "does not list all") { try $0.publishList(number: 8, base: 7) },
    ]

    @Test(arguments: badLists)
    func `a list that is not good takes the place of none`(bad: BadList) async throws {
        let (bench, agent, list) = try await Self.served()
        try bad.publish(bench)
        let outcome = await agent.look()
        #expect(!outcome.changed && !outcome.isComplete)
        #expect(bench.file("crl.pem") == AgentBench.pem(list))
        #expect(bench.scene.withLock { $0.reloads.count } == 1)
        let faults = await agent.status.faults
        #expect(faults.count == 1 && faults[0].reason.contains(bad.reason), "\(faults)")

        let good = try bench.publishList(number: 9)
        #expect(await agent.look().isComplete)
        #expect(bench.file("crl.pem") == AgentBench.pem(good))
        #expect(await agent.status.faults.isEmpty)
    }

    @Test func `before the first good list there is no file of lists at all`() async throws {
        let bench = try AgentBench()
        try bench.publishTrustStore(version: 1)
        Self.put([], bench)
        let agent = try bench.agent()
        #expect(await agent.look().isComplete == false)
        #expect(bench.file("crl.pem") == nil)
        #expect(bench.scene.withLock { $0.reloads.isEmpty })
        try bench.publishList(number: 1)
        #expect(await agent.look().isComplete)
        #expect(bench.scene.withLock { $0.reloads.count } == 1)
    }

    @Test func `a list that lay ahead is taken once the clock is there`() async throws {
        let (bench, agent, _) = try await Self.served()
        let ahead = try bench.publishList(number: 8, at: 400)
        _ = await agent.look()
        bench.clock.advance(by: 200)
        #expect(await agent.look().isComplete)
        #expect(bench.file("crl.pem") == AgentBench.pem(ahead))
    }

    @Test func `a list in force that has ended stays, and the status says so`() async throws {
        let (bench, agent, list) = try await Self.served()
        bench.clock.advance(by: 2 * .day)
        #expect(await agent.look().isComplete == false)
        #expect(bench.file("crl.pem") == AgentBench.pem(list))
        let status = await agent.status
        #expect(status.lists.map(\.hasExpired) == [true])
        #expect(status.faults.map(\.about) == ["end"])
    }

    @Test func `a trust store that is older, for another fleet, expired or signed by another changes nothing`()
        async throws
    {
        let (bench, agent, _) = try await Self.served()
        let good = try #require(bench.file("truststore.pem"))
        let stranger = try TestAuthority.selfSigned("Other").signed("Signer", role: .trustStoreSigner)
        let bad: [(String, [UInt8])] = [
            ("not newer", try bench.publishTrustStore(version: 2)),
            ("the version in force", try bench.publishTrustStore(version: 3, lifetime: 10 * .day)),
            ("for the fleet other", try bench.publishTrustStore(version: 4, fleet: "other")),
            ("expired", try bench.publishTrustStore(version: 4, lifetime: -1)),
            ("certificate verify error", try bench.publishTrustStore(version: 4, by: stranger)),
            ("it is not CMS", Array("nonsense".utf8)), ("it must have 1 to", []),
        ]
        for (reason, message) in bad {
            bench.scene.withLock { $0.trustStore = message }
            await agent.hear(trustStore: message)
            #expect(await agent.look().changed == false)
            let faults = await agent.status.faults
            #expect(faults.count == 1 && faults[0].about == "truststore", "\(faults)")
            #expect(faults[0].reason.contains(reason), "\(faults)")
            #expect(await agent.status.trustStore?.version == 3)
        }
        #expect(bench.file("truststore.pem") == good)
        try bench.publishTrustStore(version: 4)
        #expect(await agent.look().isComplete)
        #expect(await agent.status.trustStore?.version == 4)
        #expect(bench.scene.withLock { $0.acknowledged } == [3, 4])
    }

    @Test func `a restart keeps files, numbers and versions, and does not have the same read again`() async throws {
        let (bench, _, list) = try await Self.served()
        try bench.publishTrustStore(version: 2)
        try bench.publishList(number: 6)
        let again = try bench.agent()
        #expect(await again.look().changed == false)
        #expect(bench.file("crl.pem") == AgentBench.pem(list))
        #expect(await again.status.lists.map(\.number) == [7])
        #expect(await again.status.faults.count == 2)
        #expect(bench.scene.withLock { $0.reloads.count } == 1)
        #expect(bench.scene.withLock { $0.acknowledged } == [3])
        // Also where the list itself was lost, its number is remembered.
        try FileManager.default.removeItem(
            atPath: bench.folder.path + "/state/\(AgentBench.key(bench.issuing)).crl"
        )
        try FileManager.default.removeItem(atPath: bench.folder.path + "/crl.pem")
        let third = try bench.agent()
        _ = await third.look()
        #expect(bench.file("crl.pem") == nil)
        try bench.publishList(number: 8)
        _ = await third.look()
        #expect(bench.file("crl.pem") != nil)
        // A state that cannot be read is not taken for none.
        try bench.folder.write("state/state.json", Array("{".utf8))
        #expect(throws: (any Error).self) { try bench.agent() }
    }

    @Test func `a front that is away changes nothing, and files that somebody took away come back`() async throws {
        let (bench, agent, list) = try await Self.served()
        bench.scene.withLock { $0.isAway = true }
        try FileManager.default.removeItem(atPath: bench.folder.path + "/crl.pem")
        #expect(await agent.look().isComplete == false)
        #expect(bench.file("crl.pem") == AgentBench.pem(list))
        #expect(await agent.status.faults.map(\.about).contains("public front"))
    }

    @Test func `several changes at once are one reload, with the files there before it; one that fails is repeated`()
        async throws
    {
        let (bench, agent, _) = try await Self.served()
        try bench.publishTrustStore(version: 4)
        let list = try bench.publishList(number: 8)
        bench.scene.withLock { $0.reloadFails = true }
        #expect(await agent.look().isComplete == false)
        #expect(bench.scene.withLock { $0.acknowledged } == [3])
        bench.scene.withLock { $0.reloadFails = false }
        #expect(await agent.look().isComplete)
        #expect(bench.scene.withLock { $0.reloads.count } == 2)
        #expect(bench.scene.withLock { $0.reloads.last } == String(decoding: AgentBench.pem(list), as: UTF8.self))
        #expect(bench.scene.withLock { $0.acknowledged } == [3, 4])
        _ = await agent.look()
        #expect(bench.scene.withLock { $0.reloads.count } == 2)
    }

    @Test func `what cannot be written is not in force, and nothing is told of it`() async throws {
        let (bench, agent, _) = try await Self.served()
        try FileManager.default.removeItem(atPath: bench.folder.path + "/crl.pem")
        // A folder in the file's place: no rename can replace it.
        try FileManager.default.createDirectory(
            atPath: bench.folder.path + "/crl.pem/x",
            withIntermediateDirectories: true
        )
        try bench.publishTrustStore(version: 4)
        try bench.publishList(number: 8)
        #expect(await agent.look().isComplete == false)
        #expect(await agent.status.faults.map(\.about) == ["files"])
        #expect(bench.scene.withLock { $0.reloads.count } == 1)
        #expect(bench.scene.withLock { $0.acknowledged } == [3])
        try FileManager.default.removeItem(atPath: bench.folder.path + "/crl.pem")
        #expect(await agent.look().isComplete)
        #expect(bench.scene.withLock { $0.reloads.count } == 2)
    }

    @Test func `a revoked device's session ends once the list that has it is in force, and not before`() async throws {
        let (bench, agent, _) = try await Self.served()
        bench.clock.advance(by: 60)
        #expect(await agent.hear(revocation: bench.news("lost")))
        #expect(await agent.look().isAwaitingList)
        #expect(bench.scene.withLock { $0.ended.isEmpty })
        try bench.publishList(number: 8, revoked: [1, 2])
        bench.scene.withLock { $0.reloadFails = true }
        #expect(await agent.look().isAwaitingList)
        #expect(bench.scene.withLock { $0.ended.isEmpty })
        bench.scene.withLock { $0.reloadFails = false }
        _ = await agent.look()
        #expect(bench.scene.withLock { $0.ended.map(\.clients) } == [["lost@demo"]])
        #expect(bench.scene.withLock { $0.ended.map(\.reloads) } == [2])
        bench.clock.advance(by: 2)
        #expect(await agent.look().isAwaitingList == false)
    }

    @Test func `a session also ends where the list was in force before the message came`() async throws {
        let (bench, agent, _) = try await Self.served()
        bench.clock.advance(by: 60)
        try bench.publishList(number: 8, revoked: [2])
        _ = await agent.look()
        #expect(await agent.hear(revocation: bench.news("lost")))
        _ = await agent.look()
        #expect(bench.scene.withLock { $0.ended.map(\.clients) } == [["lost@demo"]])
    }

    @Test func `a message that names the certificate waits for the list that has it, whatever else was revoked then`()
        async throws
    {
        let (bench, agent, _) = try await Self.served()
        bench.clock.advance(by: 60)
        #expect(await agent.hear(revocation: bench.news("lost", serial: "4003")))
        try bench.publishList(number: 8, revoked: [1, 2])
        #expect(await agent.look().isAwaitingList)
        #expect(bench.scene.withLock { $0.ended.isEmpty })
        try bench.publishList(number: 9, revoked: [1, 2, 3])
        _ = await agent.look()
        #expect(bench.scene.withLock { $0.ended.map(\.clients) } == [["lost@demo"]])
        #expect(bench.scene.withLock { $0.ended.map(\.reloads) } == [3])
    }

    @Test func `the session of a device whose certificate is on no list ends with the next list after a while`()
        async throws
    {
        let (bench, agent, _) = try await Self.served()
        #expect(await agent.hear(revocation: bench.news("ended", serial: "4009")))
        try bench.publishList(number: 8)
        _ = await agent.look()
        #expect(bench.scene.withLock { $0.ended.isEmpty })
        bench.clock.advance(by: 11)
        try bench.publishList(number: 9)
        _ = await agent.look()
        #expect(bench.scene.withLock { $0.ended.map(\.clients) } == [["ended@demo"]])
    }

    @Test func `a released device keeps its session, and messages of other fleets or shapes are passed over`()
        async throws
    {
        let (bench, agent, _) = try await Self.served()
        bench.clock.advance(by: 60)
        #expect(await agent.hear(revocation: bench.news("held")))
        #expect(await agent.hear(revocation: bench.news("held", state: "released")))
        #expect(await agent.hear(revocation: bench.news("lost", fleet: "other")) == false)
        #expect(await agent.hear(revocation: bench.news("a/b")) == false)
        #expect(await agent.hear(revocation: bench.news("lost", state: "gone")) == false)
        #expect(await agent.hear(revocation: []) == false)
        #expect(await agent.hear(revocation: [UInt8](repeating: 0x20, count: 5_000)) == false)
        try bench.publishList(number: 8)
        _ = await agent.look()
        #expect(bench.scene.withLock { $0.ended.isEmpty })
    }

    @Test func `a session that waits for its list ends after a restart too`() async throws {
        let (bench, agent, _) = try await Self.served()
        #expect(await agent.hear(revocation: bench.news("lost", serial: "4002", sequence: 5)))
        _ = await agent.look()
        #expect(bench.scene.withLock { $0.ended.isEmpty })
        let next = try bench.agent()
        try bench.publishList(number: 8, revoked: [1, 2])
        _ = await next.look()
        #expect(bench.scene.withLock { $0.ended.map(\.clients) } == [["lost@demo"]])
        #expect(await next.status.sessionsThrough == 5)
    }

    @Test func `what is told of sessions rises only when all up to it have ended`() async throws {
        let (bench, agent, _) = try await Self.served()
        #expect(await agent.status.sessionsThrough == 0)
        #expect(await agent.hear(revocation: bench.news("lost", serial: "4002", sequence: 5)))
        #expect(await agent.hear(revocation: bench.news("held", state: "released", sequence: 6)))
        #expect(await agent.hear(revocation: bench.news("stolen", serial: "4003", sequence: 7)))
        _ = await agent.look()
        #expect(await agent.status.sessionsThrough == 4)
        try bench.publishList(number: 8, revoked: [1, 3])
        _ = await agent.look()
        #expect(bench.scene.withLock { $0.ended.map(\.clients) } == [["stolen@demo"]])
        #expect(await agent.status.sessionsThrough == 4)
        try bench.publishList(number: 9, revoked: [1, 2, 3])
        _ = await agent.look()
        #expect(await agent.status.sessionsThrough == 7)
    }

    @Test func `the status is told when it changes, and again when the broker may have lost it`() async throws {
        let (bench, agent, _) = try await Self.served()
        _ = await agent.look()
        #expect(bench.scene.withLock { $0.told.count } == 1)
        await agent.connected()
        _ = await agent.look()
        #expect(bench.scene.withLock { $0.told.map(\.trustStore?.version) } == [3, 3])
    }

    @Test func `a list of the root comes from a file, under the same rules`() async throws {
        let bench = try AgentBench()
        try bench.publishTrustStore(version: 1)
        let issuings = try bench.publishList(number: 1)
        func rootList(_ number: Int64, by authority: TestAuthority? = nil) throws -> [UInt8] {
            let authority = authority ?? bench.root
            let end = bench.clock.now.addingTimeInterval(.day)
            return try RevocationList(
                number: number,
                thisUpdate: bench.clock.now,
                nextUpdate: end,
                places: [],
                entries: []
            )
            .signed(issuer: authority.der, key: authority.key)
        }
        let path = bench.folder.path + "/root.crl"
        let agent = try bench.agent(listFiles: [path])
        #expect(await agent.look().isComplete == false)
        #expect(await agent.status.faults.map(\.reason) == ["the file cannot be read"])

        let first = try rootList(5)
        try bench.folder.write("root.crl", AgentBench.pem(first))
        #expect(await agent.look().isComplete)
        #expect(bench.file("crl.pem") == AgentBench.pem(issuings) + AgentBench.pem(first))

        try bench.folder.write("root.crl", try rootList(4))
        #expect(await agent.look().changed == false)
        #expect(await agent.status.faults.map(\.about) == [path])
        try bench.folder.write("root.crl", try rootList(6, by: TestAuthority.selfSigned("Root")))
        #expect(await agent.look().changed == false)
        #expect(await agent.status.faults.map(\.reason) == ["no CA of the trust store signed the CRL in it"])
        try bench.folder.write("root.crl", try rootList(6))
        #expect(await agent.look().isComplete)
        #expect(bench.scene.withLock { $0.reloads.count } == 3)
    }

    @Test func `Prometheus' text and the status say what is in force`() async throws {
        let (bench, agent, _) = try await Self.served()
        _ = await agent.look()
        let text = String(decoding: try #require(bench.file("status.prom")), as: UTF8.self)
        #expect(text.contains("muster_agent_trust_store_version 3\n"))
        #expect(text.contains("muster_agent_crl_number{authority=\"\(AgentBench.key(bench.issuing))\"} 7\n"))
        let end = Int(TestClock.start.timeIntervalSince1970 + .day)
        #expect(text.contains("} \(end)\n"))
        let status = try JSONDecoder().decode(AgentStatus.self, from: Data(try #require(bench.file("status.json"))))
        #expect(status.lists.map(\.entries) == [1] && status.faults.isEmpty && status.fleet == "demo")
    }
}
