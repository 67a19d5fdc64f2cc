import Testing

@testable import fleetsim

@Suite struct `A revoked device` {
    @Test func `is refused when every door is closed to it, timed from the operator's request`() {
        var result = StormResult(deviceID: "d", isLeaked: true)
        let since = ContinuousClock.now
        result.revokedAt = since
        for stage in [StormStage.session, .reconnect, .renewal] {
            result.take(StormFinding(stage: stage, at: since + .milliseconds(5), problem: "it went on"))
        }
        #expect(result.isRefused(at: [.session, .reconnect, .renewal]))
        #expect(!result.isRefused(at: StormStage.refusals))
        #expect(result.moments.map(\.took) == [.milliseconds(5), .milliseconds(5), .milliseconds(5)])
        #expect(result.problem == nil)
    }

    @Test func `that is never refused says at which door, and how often it was given a certificate`() {
        var result = StormResult(deviceID: "d", isLeaked: true)
        result.revokedAt = .now
        var finding = StormFinding(stage: .renewal, at: nil, problem: "it was served")
        finding.served = 2
        result.take(finding)
        #expect(!result.isRefused(at: [.renewal]) && result.renewedAfterwards == 2)
        #expect(result.problem == "not renewal refused: it was served")
    }
}
