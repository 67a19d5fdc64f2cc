import Foundation
import Testing

@testable import fleetsim

@Suite struct `A scenario file` {
    private static let whole = """
        scenario: everything
        seed: 18446744073709551615
        fleet: lab
        prefix: bad
        identity: claim
        key: ed25519
        retry:
          max: 9
          wait: 250ms
          waitMax: 1m
          jitter: 50%
        phases:
          - name: first
            devices: 100
            identity: idevid
            rate: 12.5
            after: 2s
            faults:
              - {fault: lost-answer, share: 5%, times: [1, 3], delay: 10ms}
              - {fault: reset, devices: 20, octets: [0, 4000], direction: sent, exchange: enroll}
              - {fault: slow-link, share: 0.5%, octetsPerSecond: 2000, latency: [1ms, 2s]}
              - {fault: clock, devices: 3, at: 1970-01-01}
              - {fault: clock, devices: 3, ahead: [30d, 10y]}
              - {fault: power-cut, devices: 100, moment: answer, off: 1s}
              - {fault: duplicate, devices: 2}
              - {fault: clone, copies: 7, with: everything}
          - name: second
            devices: 5
            storm: 1h
        limits:
          outcomes: {issued: 100, device-has-another-key: 5}
          enrolled: 99.5%
          played: {power-cut: 100}
          p50: {whole: 1s}
          p99: {connect: 500ms, enroll: 2s}
          retries: 4
          duration: 5m
          certificatesPerKey: 1
          missing: 0
        """

    @Test func `is read with all that it says`() throws {
        let scenario = try ScenarioFile.scenario(Self.whole, file: "whole.yaml")
        #expect(scenario.name == "everything" && scenario.seed == .max && scenario.fleet == "lab")
        #expect(
            scenario.retry
                == RetryPolicy(retriesMax: 9, waitMax: .seconds(60), reconnectWait: .milliseconds(250), jitter: 0.5)
        )
        let first = try #require(scenario.phases.first)
        #expect(first.identity == .idevid && first.key == .ed25519 && first.rate == 12.5 && first.after == .seconds(2))
        #expect(
            first.faults.map(\.fault.name) == [
                .lostAnswer, .reset, .slowLink, .clock, .clock, .powerCut, .duplicate, .clone,
            ]
        )
        #expect(
            first.faults[0]
                == ScenarioFault(who: .share(0.05), fault: .lostAnswer(times: 1...3, delayMilliseconds: 10...10))
        )
        #expect(first.faults[4].fault == .clock(.ahead(days: 30...3650)))
        #expect(first.faults[7] == ScenarioFault(who: .exactly(7), fault: .clone(withKey: true)))
        #expect(scenario.phases[1].identity == .claim && scenario.phases[1].storm == .seconds(3600))
        #expect(scenario.limits.outcomes == ["issued": 100, "device-has-another-key": 5])
        #expect(scenario.limits.p99 == [.connect: 500, .enroll: 2000])
        #expect(scenario.limits.enrolled == 0.995 && scenario.limits.played == [.powerCut: 100])
    }

    @Test(arguments: [
        ("seed: 1844", "sed: 1844", "f.yaml:2: sed: unknown key; did you mean seed?"),
        ("seed: 18446744073709551615\n", "", "f.yaml:1: seed is missing"),
        ("seed: 18446744073709551615", "seed: -1", "f.yaml:2: seed must be a whole number from 0; '-1' is not"),
        ("fleet: lab", "fleet: Lab", "f.yaml:3: fleet must be a fleet's name; 'Lab' is not"),
        ("key: ed25519", "key: dsa", "f.yaml:6: key must be one of p256, p384, rsa2048, ed25519; 'dsa' is not"),
        (
            "name: second", "name: first",
            "f.yaml:27: phases.1.name is first, as that of another phase; give each its own"
        ),
        (
            "devices: 100\n    identity", "devices: 0\n    identity",
            "f.yaml:14: phases.0.devices must be 1 to 1000000; '0' is not"
        ),
        (
            "storm: 1h", "storm: 1h\n    rate: 5",
            "f.yaml:30: phases.1.rate contradicts phases.1.storm: in a storm all devices ask at once; leave one of them out"
        ),
        ("storm: 1h", "strom: 1h", "f.yaml:29: phases.1.strom: unknown key; did you mean storm?"),
        ("share: 5%,", "", "f.yaml:19: phases.0.faults.0.fault is lost-answer, which needs share: 5%, or devices: 20"),
        (
            "share: 5%", "share: 5",
            "f.yaml:19: phases.0.faults.0.share must be a share like 5% or 0.5%, at most 100%; '5' is not"
        ),
        (
            "share: 5%", "share: 5%, devices: 3",
            "contradicts phases.0.faults.0.share: a fault has a probability or an exact count; leave one of them out"
        ),
        ("devices: 20,", "devices: 101,", "f.yaml:20: phases.0.faults.1.devices must be 1 to 100; '101' is not"),
        (
            "octets: [0, 4000]", "octets: [4000, 0]",
            "f.yaml:20: phases.0.faults.1.octets must be 0 to 65536, or [least, most] of such"
        ),
        (
            "at: 1970-01-01", "at: 1970-01-01, ahead: 1y",
            "a clock is at a date or ahead by a time; leave one of them out"
        ),
        ("at: 1970-01-01", "at: yesterday", "must be a date like 1970-01-01; 'yesterday' is not"),
        (
            "fault: duplicate", "fault: triplicate",
            "must be one of lost-answer, reset, slow-link, clock, power-cut, duplicate, clone; 'triplicate' is not"
        ),
        (
            "fault: duplicate, devices: 2", "fault: duplicate, devices: 2, octets: 5",
            "phases.0.faults.6.octets: unknown key; the keys here are fault, share, devices"
        ),
        ("copies: 7", "devices: 7", "phases.0.faults.7.devices: unknown key; the keys here are fault, copies, with"),
        (
            "    power-cut: 100", "    blackout: 100",
            "limits.played.blackout is not a fault; the faults are lost-answer"
        ),
        (
            "    whole: 1s", "    hole: 1s",
            "limits.p50.hole is not a stage; the stages are connect, cacerts, enroll, approval, check, mqtt, whole"
        ),
        ("retries: 4", "retries: many", "limits.retries must be 0 to 1000; 'many' is not"),
        (
            "duration: 5m", "duration: 5 minutes",
            "limits.duration must be a time like 500ms, 2s, 5m or 1h, at most 24h; '5 minutes' is not"
        ),
        ("missing: 0", "missing: 0\n  missing: 1", "is set again further down in the same section; keep one"),
        ("retry:\n", "retry: [\n", "is not YAML here"),
    ])
    func `is refused with the place and what would be right`(right: String, wrong: String, problem: String) throws {
        // Flow mappings are opened, so that a line has one key.
        let text = Self.whole.replacing("outcomes: {", with: "outcomes: {").replacing(
            "played: {power-cut: 100}",
            with: "played:\n    power-cut: 100"
        ).replacing("p50: {whole: 1s}", with: "p50:\n    whole: 1s")
        try #require(text.contains(right))
        let error = #expect(throws: ScenarioProblem.self) {
            try ScenarioFile.scenario(text.replacing(right, with: wrong, maxReplacements: 1), file: "f.yaml")
        }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    @Test func `that says nothing of who enrolls is refused`() throws {
        let text = "scenario: s\nseed: 1\nphases: [{name: a, devices: 1}]\nlimits: {retries: 1}\n"
        let error = #expect(throws: ScenarioProblem.self) { try ScenarioFile.scenario(text, file: "f.yaml") }
        #expect(error?.description.hasPrefix("f.yaml:4: limits must have outcomes or enrolled") == true)
    }

    @Test func `of the repository can be planned, and the README's example is one`() throws {
        let simulators = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("simulators")
        for name in ["first-boot", "power-cut", "bad-day", "after-outage"] {
            let document = try ScenarioFile.read(simulators.path + "/scenarios/\(name).yaml")
            guard case .phases(let scenario) = document else {
                throw ScenarioProblem(place: name, text: "has no phases")
            }
            #expect(scenario.name == name)
            let plan = try ScenarioPlan(scenario)
            #expect(plan.units >= plan.phases.reduce(0) { $0 + $1.phase.devices })
        }
        let page = try String(contentsOf: simulators.appendingPathComponent("README.md"), encoding: .utf8)
        let example = try #require(page.split(separator: "```yaml\n").last?.split(separator: "```").first)
        let scenario = try ScenarioFile.scenario(String(example), file: "README.md")
        // What it says is standard is so.
        #expect(
            scenario.retry.retriesMax == RetryPolicy().retriesMax && scenario.retry.waitMax == RetryPolicy().waitMax
        )
        #expect(scenario.retry.reconnectWait == RetryPolicy().reconnectWait && scenario.phases.count == 1)
    }

    @Test func `that is not there, or empty, is refused`() throws {
        #expect(throws: ScenarioProblem.self) { try ScenarioFile.read("/nowhere/s.yaml") }
        let error = #expect(throws: ScenarioProblem.self) { try ScenarioFile.scenario("", file: "f.yaml") }
        #expect(error?.description == "f.yaml:1: the file is empty")
    }

    @Test func `is played in part with every count divided, or refused if one does not divide`() throws {
        var text = Self.whole.replacing("issued: 100, device-has-another-key: 5", with: "issued: 110")
        for (count, even) in [
            ("devices: 3,", "devices: 10,"), ("devices: 2}", "devices: 10}"), ("copies: 7", "copies: 10"),
        ] {
            text = text.replacing(count, with: even)
        }
        let scenario = try ScenarioFile.scenario(text.replacing("devices: 5", with: "devices: 10"), file: "f.yaml")
            .part(10)
        #expect(scenario.phases.map(\.devices) == [10, 1])
        #expect(scenario.phases[0].faults[1].who == .exactly(2))
        #expect(scenario.limits.outcomes == ["issued": 11] && scenario.limits.played == [.powerCut: 10])
        #expect(scenario.phases[0].rate == 12.5 && scenario.limits.retries == 4)
        let error = #expect(throws: ScenarioProblem.self) { try ScenarioFile.scenario(text, file: "f.yaml").part(10) }
        #expect(
            error?.description == "phases.second.devices is 5, of which there is no 1/10; give a --part that divides it"
        )
    }
}
