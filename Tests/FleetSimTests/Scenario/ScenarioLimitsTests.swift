import Testing

@testable import fleetsim

@Suite struct `The limits of a scenario` {
    private func measures(_ change: (inout ScenarioMeasures) -> Void = { _ in }) -> ScenarioMeasures {
        var histogram = LatencyHistogram()
        for milliseconds in 1...100 { histogram.record(.milliseconds(milliseconds)) }
        var measures = ScenarioMeasures(
            units: 100,
            counts: ["issued": 95, "pending": 5],
            played: [.reset: 12],
            stages: [.enroll: histogram],
            retriesMost: 3,
            duration: .seconds(10),
            certificatesPerKey: 1,
            missing: 0
        )
        change(&measures)
        return measures
    }

    private func limits(_ text: String) throws -> ScenarioLimits {
        let file = "scenario: s\nseed: 1\nphases: [{name: a, devices: 100}]\nlimits: \(text)\n"
        return try ScenarioFile.scenario(file, file: "f.yaml").limits
    }

    @Test(arguments: [
        ("{outcomes: {issued: 95, pending: 5}}", []),
        ("{outcomes: {issued: 95}}", ["outcomes.pending"]),
        ("{outcomes: {issued: 96, pending: 5, gave-up: 0}}", ["outcomes.issued"]),
        ("{enrolled: 95%}", []),
        ("{enrolled: 95.1%}", ["enrolled"]),
        ("{enrolled: 1%, played: {reset: 12}}", []),
        ("{enrolled: 1%, played: {reset: 13, clock: 1}}", ["played.clock", "played.reset"]),
        ("{enrolled: 1%, p50: {enroll: 60ms}, p99: {enroll: 110ms}}", []),
        ("{enrolled: 1%, p50: {enroll: 40ms}, p99: {enroll: 90ms}}", ["p50.enroll", "p99.enroll"]),
        ("{enrolled: 1%, p99: {mqtt: 1h}}", ["p99.mqtt"]),
        ("{enrolled: 1%, retries: 3, duration: 10s}", []),
        ("{enrolled: 1%, retries: 2, duration: 9s}", ["retries", "duration"]),
    ])
    func `are met by what is within them, and by nothing else`(text: String, failing: [String]) throws {
        #expect(try limits(text).judge(measures()).filter { !$0.isMet }.map(\.limit) == failing)
    }

    @Test func `always hold that nothing is issued twice, changed or missing`() throws {
        let limits = try limits("{enrolled: 1%}")
        #expect(limits.judge(measures()).map(\.limit) == ["enrolled", "certificatesPerKey", "missing", "changed"])
        let spoiled = measures {
            $0.certificatesPerKey = 2
            $0.missing = 1
            $0.changed = 1
        }
        #expect(
            limits.judge(spoiled).filter { !$0.isMet }.map(\.limit) == ["certificatesPerKey", "missing", "changed"]
        )
    }

    @Test func `are not met by what nobody looked at`() throws {
        let reports = try limits("{enrolled: 1%}").judge(measures { ($0.certificatesPerKey, $0.missing) = (nil, nil) })
        #expect(reports.filter { !$0.isMet }.map(\.measured) == ["not looked at", "not looked at"])
    }
}
