/// What a storm is to come to. Pure.
struct StormLimits: Hashable, Sendable {
    /// The most milliseconds, by stage.
    var p50: [StormStage: Int] = [:]
    var p99: [StormStage: Int] = [:]
    /// The least share of the revoked devices that is refused everywhere, 0 to 1.
    var refused = 1.0
    /// The least share of the others that is served throughout, 0 to 1.
    var unaffected = 1.0
    var duration: Duration?

    /// Each limit with what was measured. What was not played, a gateway, is not judged.
    func judge(_ measured: StormMeasures) -> [LimitReport] {
        var reports = [
            LimitReport.atLeast("ready", 1, measured.ready, of: measured.devices),
            LimitReport.atLeast("refused", refused, measured.refused, of: measured.revoked),
            LimitReport.atLeast("unaffected", unaffected, measured.unaffected, of: measured.devices - measured.revoked),
            LimitReport.atMost("renewedAfterwards", 0, measured.renewedAfterwards),
        ]
        for (name, limits, fraction) in [("p50", p50, 0.5), ("p99", p99, 0.99)] {
            for stage in StormStage.allCases {
                guard let milliseconds = limits[stage], measured.isPlayed(stage) else { continue }
                reports.append(
                    .atMost(
                        "\(name).\(stage.rawValue)",
                        .milliseconds(milliseconds),
                        measured.stages[stage]?.percentile(fraction)
                    )
                )
            }
        }
        if let duration { reports.append(.atMost("duration", duration, measured.duration)) }
        return reports
    }
}

/// What limits are held against.
struct StormMeasures: Sendable {
    var devices = 0
    /// Devices that enrolled and were connected when the storm began.
    var ready = 0
    /// Devices that were to be revoked.
    var revoked = 0
    /// Of them, those that were refused at every stage.
    var refused = 0
    /// Of the others, those that were served throughout.
    var unaffected = 0
    /// Certificates that revoked devices were given.
    var renewedAfterwards = 0
    var hasGateway = false
    var stages: [StormStage: LatencyHistogram] = [:]
    var duration: Duration = .zero

    func isPlayed(_ stage: StormStage) -> Bool { hasGateway || stage != .gateway && stage != .admitted }
}
