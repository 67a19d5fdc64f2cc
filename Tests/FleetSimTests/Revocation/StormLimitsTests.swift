import Testing

@testable import fleetsim

@Suite struct `The limits of a revocation storm` {
    private func measures(_ change: (inout StormMeasures) -> Void = { _ in }) -> StormMeasures {
        var histogram = LatencyHistogram()
        for milliseconds in 1...100 { histogram.record(.milliseconds(milliseconds)) }
        var measures = StormMeasures(devices: 100, ready: 100, revoked: 10, refused: 10, unaffected: 90)
        measures.stages = [.session: histogram, .renewal: histogram]
        measures.duration = .seconds(10)
        change(&measures)
        return measures
    }

    private func failing(_ limits: StormLimits, _ measures: StormMeasures) -> [String] {
        limits.judge(measures).filter { !$0.isMet }.map(\.limit)
    }

    @Test func `always hold that all are there, and nobody revoked is served or anybody else disturbed`() {
        #expect(failing(StormLimits(), measures()).isEmpty)
        let spoiled = measures {
            $0.ready = 99
            $0.refused = 9
            $0.unaffected = 89
            $0.renewedAfterwards = 1
        }
        #expect(failing(StormLimits(), spoiled) == ["ready", "refused", "unaffected", "renewedAfterwards"])
    }

    @Test func `are times that are met by what is within them, and not by what was never measured`() {
        let met = StormLimits(p50: [.session: 60], p99: [.session: 110, .renewal: 110], duration: .seconds(10))
        #expect(failing(met, measures()).isEmpty)
        let narrow = StormLimits(p50: [.session: 40], p99: [.session: 90, .reconnect: 1000], duration: .seconds(9))
        #expect(failing(narrow, measures()) == ["p50.session", "p99.session", "p99.reconnect", "duration"])
    }

    @Test func `say nothing of a gateway that there is not`() {
        let limits = StormLimits(p99: [.gateway: 1000, .admitted: 1000])
        #expect(failing(limits, measures()).isEmpty)
        #expect(failing(limits, measures { $0.hasGateway = true }) == ["p99.gateway", "p99.admitted"])
    }

    @Test func `take a lower share where the file gives one`() {
        var limits = StormLimits()
        limits.refused = 0.9
        limits.unaffected = 0.5
        let some = measures {
            $0.refused = 9
            $0.unaffected = 45
        }
        #expect(failing(limits, some).isEmpty)
    }
}
