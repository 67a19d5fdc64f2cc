import Foundation
import Testing

@testable import fleetsim

@Suite struct `The file of a fleet that renews` {
    private static let whole = """
        scenario: days
        seed: 9
        fleet: short
        prefix: day
        key: p384
        retry: {max: 50}
        renewal:
          devices: 200
          day: 30s
          days: 10
          lifetime: 48h
          renewAt: [40%, 70%]
          concurrency: 16
          skew: {share: 25%, by: [2h, 6h]}
          offline: {share: 10%, for: 3d}
        limits: {current: 99%, lapsed: 2, returned: 90%, peak: 40, p50: 1s, p99: 2s, duration: 10m}
        """

    private static func renewal(_ text: String) throws(ScenarioProblem) -> Renewal {
        try RenewalReader(file: "f.yaml").renewal(ScenarioFile.root(text, file: "f.yaml"))
    }

    @Test func `is read with all that it says`() throws {
        let renewal = try Self.renewal(Self.whole)
        #expect(renewal.name == "days" && renewal.fleet == "short" && renewal.prefix == "day" && renewal.key == .p384)
        #expect(renewal.devices == 200 && renewal.concurrency == 16 && renewal.renewAt == 0.4...0.7)
        #expect(renewal.lifetime == .seconds(60) && renewal.play == .seconds(300))
        #expect(renewal.skew == Renewal.Group(share: 0.25, hours: 2...6))
        #expect(renewal.offline == Renewal.Group(share: 0.1, hours: 72...72))
        #expect(renewal.limits.current == 0.99 && renewal.limits.lapsed == 2 && renewal.limits.returned == 0.9)
        #expect(renewal.limits.peak == 40 && renewal.limits.p50 == .seconds(1) && renewal.limits.p99 == .seconds(2))
    }

    @Test(arguments: [
        ("  lifetime: 48h\n", "", "f.yaml:8: renewal.lifetime is missing"),
        ("lifetime: 48h", "lifetime: 24h", "f.yaml:11: renewal.lifetime takes 30.0 seconds with that day, and no"),
        ("lifetime: 48h", "lifetime: 2 days", "must be a simulated time like 12h or 3d; '2 days' is not"),
        ("day: 30s", "day: 10ms", "f.yaml:9: renewal.day must be how long a simulated day takes, from 1s to 24h"),
        ("days: 10", "days: 0", "f.yaml:10: renewal.days must be 1 to 366; '0' is not"),
        ("day: 30s", "day: 24h", "f.yaml:10: renewal.days take"),
        ("[40%, 70%]", "[70%, 40%]", "f.yaml:12: renewal.renewAt must be a share like 60%, or [least, most] of such"),
        ("share: 25%, by:", "share: 25%, for:", "renewal.skew.for: unknown key"),
        ("lapsed: 2", "lapses: 2", "limits.lapses: unknown key; did you mean lapsed?"),
        ("fleet: short", "phases: []", "f.yaml:3: phases: unknown key"),
    ])
    func `is refused with the place and what would be right`(right: String, wrong: String, problem: String) throws {
        try #require(Self.whole.contains(right))
        let text = Self.whole.replacing(right, with: wrong, maxReplacements: 1)
        let error = #expect(throws: ScenarioProblem.self) { try Self.renewal(text) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    @Test func `is planned from its seed alone, within what it says`() throws {
        var renewal = try Self.renewal(Self.whole)
        let plan = RenewalPlan(renewal)
        #expect(plan == RenewalPlan(renewal) && plan.units.count == 200)
        let skewed = plan.units.filter { $0.skew != .zero }
        #expect((30...70).contains(skewed.count))
        for unit in skewed {
            let skew = unit.skew < .zero ? .zero - unit.skew : unit.skew
            #expect(skew >= renewal.real(hours: 2) && skew <= renewal.real(hours: 6))
        }
        let offline = plan.units.compactMap(\.offline)
        #expect((8...35).contains(offline.count))
        #expect(offline.allSatisfy { $0.length == renewal.real(hours: 72) && $0.at + $0.length < renewal.play })
        #expect((1...9).allSatisfy { renewal.renewAt.contains(plan.share(of: 3, renewal: $0)) })
        renewal.seed = 10
        #expect(RenewalPlan(renewal) != plan)
    }

    @Test func `of the repository is one`() throws {
        let simulators = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("simulators")
        guard case .renewal(let renewal) = try ScenarioFile.read(simulators.path + "/scenarios/renewal.yaml") else {
            Issue.record("renewal.yaml is of another kind")
            return
        }
        #expect(renewal.devices == 300 && renewal.lifetime == .seconds(60) && renewal.fleet == "renewal")
        #expect(try renewal.part(10).devices == 30)
    }
}

@Suite struct `The limits of a fleet that renews` {
    private func failing(_ limits: RenewalLimits, _ change: (inout RenewalMeasures) -> Void = { _ in }) -> [String] {
        var measures = RenewalMeasures(devices: 10, current: 10, outdated: 2, returned: 2, peak: 7)
        measures.times.record(.milliseconds(100))
        change(&measures)
        return limits.judge(measures).filter { !$0.isMet }.map(\.limit)
    }

    @Test func `always hold that all have a valid certificate, and none was given for one that had ended`() {
        #expect(failing(RenewalLimits()).isEmpty)
        let spoiled = failing(RenewalLimits()) {
            $0.current = 9
            $0.lapsed = 1
            $0.renewedAfterEnd = 1
            $0.returned = 1
        }
        #expect(spoiled == ["current", "lapsed", "renewedAfterEnd", "returned"])
    }

    @Test func `are times and a peak that are met by what is within them`() {
        #expect(failing(RenewalLimits(p50: .milliseconds(110), p99: .milliseconds(110), peak: 7)).isEmpty)
        #expect(failing(RenewalLimits(p50: .milliseconds(90), peak: 6, duration: .zero)) == ["p50", "peak"])
        #expect(failing(RenewalLimits(p99: .seconds(1))) { $0.times = LatencyHistogram() } == ["p99"])
    }

    @Test func `ask for no return where nobody was away`() {
        let limits = RenewalLimits().judge(RenewalMeasures(devices: 1, current: 1))
        #expect(!limits.contains { $0.limit == "returned" })
    }
}
