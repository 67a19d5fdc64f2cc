import Foundation
import Testing

@testable import fleetsim

@Suite struct `The file of a revocation storm` {
    private static let whole = """
        scenario: leak
        seed: 9
        fleet: lab
        prefix: storm
        key: ed25519
        retry: {max: 3}
        revocation:
          devices: 200
          leaked: 10%
          concurrency: 16
          operators: 2
          watch: 2s
          probe: 50ms
          patience: 30s
          gateway: https://localhost:8444
        limits:
          p50: {session: 1s}
          p99: {session: 2s, reconnect: 3s, renewal: 400ms, gateway: 4s, message: 1s, renewed: 2s, admitted: 3s}
          refused: 99%
          unaffected: 99.5%
          duration: 5m
        """

    private static func storm(_ text: String) throws(ScenarioProblem) -> RevocationStorm {
        try RevocationStormReader(file: "f.yaml").storm(ScenarioFile.root(text, file: "f.yaml"))
    }

    @Test func `is read with all that it says`() throws {
        let storm = try Self.storm(Self.whole)
        #expect(storm.name == "leak" && storm.seed == 9 && storm.fleet == "lab" && storm.prefix == "storm")
        #expect(storm.key == .ed25519 && storm.retry.retriesMax == 3)
        #expect(storm.devices == 200 && storm.leaked == .share(0.1) && storm.leakedCount == 20)
        #expect(storm.concurrency == 16 && storm.operators == 2 && storm.gateway == "https://localhost:8444")
        #expect(storm.watch == .seconds(2) && storm.probe == .milliseconds(50) && storm.patience == .seconds(30))
        #expect(storm.limits.p50 == [.session: 1000] && storm.limits.p99.count == 7)
        #expect(storm.limits.refused == 0.99 && storm.limits.unaffected == 0.995)
        #expect(storm.limits.duration == .seconds(300))
    }

    @Test(arguments: [
        ("  leaked: 10%\n", "", "f.yaml:8: revocation.leaked is missing"),
        ("leaked: 10%", "leaked: 100%", "f.yaml:9: revocation.leaked must leave a device that is revoked and one that"),
        ("leaked: 10%", "leaked: 200", "f.yaml:9: revocation.leaked must be a share like 10%, or a number of devices"),
        ("devices: 200", "devices: 1", "f.yaml:8: revocation.devices must be 2 to 10000; '1' is not"),
        ("probe: 50ms", "probe: 1ms", "f.yaml:13: revocation.probe must be a time from 10ms to 1h; '1ms' is not"),
        ("patience: 30s", "patience: 2h", "f.yaml:14: revocation.patience must be a time from 1s to 1h; '2h' is not"),
        ("https://localhost:8444", "https://example.com", "f.yaml:15: revocation.gateway must be https://host:port on"),
        ("operators:", "operator:", "f.yaml:11: revocation.operator: unknown key; did you mean operators?"),
        ("p50: {session:", "p50: {sessions:", "limits.p50.sessions is no stage; the stages are session, reconnect"),
        ("refused: 99%", "refused: 99", "f.yaml:19: limits.refused must be a share like 5%"),
        ("key: ed25519", "phases: []", "f.yaml:5: phases: unknown key"),
    ])
    func `is refused with the place and what would be right`(right: String, wrong: String, problem: String) throws {
        try #require(Self.whole.contains(right))
        let text = Self.whole.replacing(right, with: wrong, maxReplacements: 1)
        let error = #expect(throws: ScenarioProblem.self) { try Self.storm(text) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    @Test func `is played in part with every count divided, or refused if one does not divide`() throws {
        let part = try Self.storm(Self.whole).part(10)
        #expect(part.devices == 20 && part.leakedCount == 2)
        let exact = try Self.storm(Self.whole.replacing("leaked: 10%", with: "leaked: 30"))
        #expect(try exact.part(10).leakedCount == 3)
        #expect(throws: ScenarioProblem.self) { try exact.part(7) }
    }

    @Test func `is planned from its seed alone, and another seed revokes others`() throws {
        var storm = try Self.storm(Self.whole)
        let plan = StormPlan(storm)
        #expect(plan == StormPlan(storm))
        #expect(plan.leaked.count == 20 && Set(plan.leaked).count == 20)
        #expect(plan.leaked.allSatisfy { (1...200).contains($0) } && plan.leaked != plan.leaked.sorted())
        #expect((1...200).allSatisfy { plan.firstLook(of: $0) < storm.watch })
        storm.seed = 10
        #expect(StormPlan(storm).leaked != plan.leaked)
    }

    @Test func `of the repository is one`() throws {
        let simulators = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("simulators")
        let document = try ScenarioFile.read(simulators.path + "/scenarios/revocation-storm.yaml")
        guard case .revocation(let storm) = document else {
            Issue.record("revocation-storm.yaml is no storm")
            return
        }
        #expect(storm.devices == 1000 && storm.leakedCount == 100 && storm.limits.unaffected == 1)
    }
}
