import ArgumentParser
import Foundation
import TestPeers
import Testing

@testable import fleetsim

/// `muster-sim run` against a server whose answers the test decides.
@Suite struct `A scenario` {
    private func play(_ server: ScriptedEST, _ phases: String) async throws -> (report: ScenarioReport, status: Int32) {
        try await play(server.workshop, port: server.port, phases)
    }

    /// Plays the phases against a server, whose record nobody can look at.
    private func play(
        _ workshop: Workshop,
        port: Int,
        _ phases: String,
        limits: String = "{enrolled: 100%}"
    ) async throws -> (report: ScenarioReport, status: Int32) {
        let folder = workshop.folder
        let head = "scenario: tried\nseed: 5\nretry: {max: 9, wait: 50ms}\n"
        let file = try folder.write("scenario.yaml", "\(head)phases: \(phases)\nlimits: \(limits)\n".utf8)
        let dev = try workshop.dev(port: port)
        let json = folder.path + "/report.json"
        var status: Int32 = 0
        do {
            try await RunCommand.parse([file, "--dev", dev, "--json", json, "--html", folder.path + "/page.html"]).run()
        } catch let code as ExitCode {
            status = code.rawValue
        }
        return try (JSONDecoder().decode(ScenarioReport.self, from: Data(folder.read("report.json"))), status)
    }

    private func failing(_ report: ScenarioReport) -> [String] { report.limits.filter { !$0.isMet }.map(\.limit) }

    @Test func `plays its phases one after the other, and fails for a record that it cannot look at`() async throws {
        try await ScriptedEST.with { _, _ in
            .issue
        } _: { server in
            let phases = "[{name: a, devices: 3}, {name: b, devices: 2, identity: claim, key: ed25519}]"
            let (report, status) = try await play(server, phases)
            #expect(report.phases.map(\.counts) == [["issued": 3], ["issued": 2]])
            #expect(server.requests.map(\.deviceID).sorted() == (1...5).map { "sim-5-00000\($0)" })
            #expect(Set(server.requests.prefix(3).map(\.credential)).count == 3)
            #expect(Set(server.requests.suffix(2).map(\.credential)).count == 1)
            #expect(failing(report) == ["certificatesPerKey", "missing"] && status == ExitCode.failure.rawValue)
            #expect(report.text.contains("FAIL  certificatesPerKey  not looked at (at most 1)"))
            #expect(report.timeline.map(\.name) == ["issued"] && report.timeline.first?.points.last?.y == 5)
            #expect(report.distributions.contains { $0.name == "enroll" && $0.points.last?.y == 1 })
            let page = try String(decoding: server.workshop.folder.read("page.html"), as: UTF8.self)
            #expect(page.contains(">failed<") && page.contains("<svg") && page.hasSuffix("</html>\n"))
        }
    }

    @Test func `loses answers after the request, and sends the very same request again`() async throws {
        try await ScriptedEST.with { _, _ in
            .issueOnce
        } _: { server in
            let fault = "{fault: lost-answer, devices: 6, times: 2, delay: [0ms, 100ms]}"
            let (report, _) = try await play(server, "[{name: a, devices: 6, faults: [\(fault)]}]")
            #expect(report.counts == ["issued": 6] && report.played == ["lost-answer": 12])
            #expect(report.retries == ["the answer was lost": 12])
            for requests in Dictionary(grouping: server.requests, by: \.deviceID).values {
                #expect(Set(requests.map(\.body)).count == 1 && requests.count <= 3)
            }
            #expect(failing(report) == ["certificatesPerKey", "missing"])
        }
    }

    @Test func `cuts the power, and the device comes back with its key and is given the same`() async throws {
        try await ScriptedEST.with { _, _ in
            .issueOnce
        } _: { server in
            let fault = "{fault: power-cut, devices: 5, times: 2, moment: answer, off: 10ms}"
            let (report, _) = try await play(server, "[{name: a, devices: 5, faults: [\(fault)]}]")
            #expect(report.counts == ["issued": 5] && report.played == ["power-cut": 10])
            #expect(report.stages["cacerts"]?.count == 15)
            #expect(server.requests.count == 15 && Set(server.requests.map(\.credential)).count == 5)
            #expect(failing(report) == ["certificatesPerKey", "missing"])
        }
    }

    @Test func `tells of devices that are given other octets when they come back`() async throws {
        try await ScriptedEST.with { _, _ in
            .issue
        } _: { server in
            let fault = "{fault: power-cut, devices: 2, moment: answer, off: 10ms}"
            let (report, _) = try await play(server, "[{name: a, devices: 3, faults: [\(fault)]}]")
            #expect(report.limits.last == LimitReport("changed", "at most 0", "2", false))
        }
    }

    @Test func `resets connections anywhere, and all enroll in the end`() async throws {
        try await ScriptedEST.with { _, _ in
            .issueOnce
        } _: { server in
            let fault = "{fault: reset, devices: 30, times: 3, octets: [0, 1500]}"
            let (report, _) = try await play(server, "[{name: a, devices: 30, faults: [\(fault)]}]")
            #expect(report.counts == ["issued": 30])
            #expect(report.played["reset"] == report.retries["the connection was reset"])
            #expect((report.played["reset"] ?? 0) > 60)
        }
    }

    @Test(arguments: ["at: 1970-01-01", "ahead: 30y"])
    func `enrolls devices whose clocks are wrong`(clock: String) async throws {
        try await ScriptedEST.with { _, _ in
            .issue
        } _: { server in
            let fault = "{fault: clock, devices: 3, \(clock)}"
            let (report, _) = try await play(server, "[{name: a, devices: 3, faults: [\(fault)]}]")
            #expect(report.counts == ["issued": 3] && report.played == ["clock": 3])
        }
    }

    @Test func `trickles through slow links`() async throws {
        try await ScriptedEST.with { _, _ in
            .issue
        } _: { server in
            let fault = "{fault: slow-link, devices: 2, octetsPerSecond: 20000, latency: 20ms}"
            let (report, _) = try await play(server, "[{name: a, devices: 2, faults: [\(fault)]}]")
            #expect(report.counts == ["issued": 2])
            // Two exchanges, each of a handshake and an answer, each of two ways at least.
            #expect((report.stages["whole"]?.p50Milliseconds ?? 0) >= 4 * 40)
        }
    }

    @Test func `has duplicates with another key, and clones with the same credential`() async throws {
        try await ScriptedEST.with { _, _ in
            .issueOnce
        } _: { server in
            let faults =
                "{fault: duplicate, devices: 1}, {fault: clone, copies: 2}, {fault: clone, copies: 3, with: everything}"
            let (report, _) = try await play(server, "[{name: a, devices: 3, faults: [\(faults)]}]")
            #expect(report.units == 9 && report.counts == ["issued": 9])
            let devices = Dictionary(grouping: server.requests, by: \.deviceID).values
            // By requests: credentials and keys. An ECDSA request of the same key is signed anew each time.
            let seen = devices.map { [$0.count, Set($0.map(\.credential)).count] }.sorted { $0[0] < $1[0] }
            #expect(seen == [[2, 2], [3, 1], [4, 1]])
        }
    }

    @Test func `waits no less than Retry-After says, and longer by a drawn share`() async throws {
        try await ScriptedEST.with { _, attempt in
            attempt == 1 ? .later(503, "1") : .issue
        } _: { server in
            _ = try await play(server, "[{name: a, devices: 8}]")
            let waits = Dictionary(grouping: server.requests, by: \.deviceID).values.map { $0[1].at - $0[0].at }
            #expect(waits.count == 8 && waits.allSatisfy { $0 >= .seconds(1) })
        }
        let policy = RetryPolicy(jitter: 0.5)
        #expect(policy.wait(asked: .seconds(10), draw: 0) == .seconds(10))
        #expect(policy.wait(asked: .seconds(10), draw: 0.5) == .milliseconds(12_500))
        #expect(policy.wait(asked: .seconds(100), draw: 0) == policy.waitMax)
        #expect(policy.wait(asked: nil, draw: 0) == policy.reconnectWait)
    }

    @Test func `lets all devices of a storm wait for a server that is away`() async throws {
        let workshop = try Workshop()
        let port = try QuietPort.choose()
        // Whether the devices come before the server or after it: all of them enroll, and none of them gives up.
        let phases = "[{name: a, devices: 20, storm: 30s}]"
        let played = Task { try await play(workshop, port: port, phases, limits: "{enrolled: 100%, retries: 3}") }
        try await ScriptedEST.with(port: port, workshop: workshop) { _, _ in
            .issue
        } _: { server in
            let report = try await played.value.report
            #expect(report.counts == ["issued": 20])
            #expect(server.requests.count == 20)
        }
    }

    @Test func `is printed by --plan, needs --dev to be played, and names its file`() throws {
        #expect(throws: (any Error).self) { try RunCommand.parse(["s.yaml"]) }
        #expect(throws: (any Error).self) { try RunCommand.parse(["s.yaml", "--plan", "--part", "0"]) }
        #expect(throws: Never.self) { try RunCommand.parse(["s.yaml", "--plan", "--seed", "9"]) }
    }
}
