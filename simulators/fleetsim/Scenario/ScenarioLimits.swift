/// What a scenario is to come to. Pure.
struct ScenarioLimits: Hashable, Sendable {
    /// Devices by the words of `--expect`; any other count is a failure. Nil if counts are not judged.
    var outcomes: [String: Int]?
    /// The least share of all units that enroll, 0 to 1.
    var enrolled: Double?
    /// Faults that are to be played at least.
    var played: [FaultName: Int]
    /// The most milliseconds, by stage.
    var p50: [Stage: Int]
    var p99: [Stage: Int]
    /// The most retries of one device.
    var retries: Int?
    var duration: Duration?
    /// The most unrevoked certificates of one DeviceID and key in the record.
    var certificatesPerKey = 1
    /// The most certificates that devices hold and the record lacks.
    var missing = 0

    func part(_ divisor: Int) throws(ScenarioProblem) -> ScenarioLimits {
        var limits = self
        if let outcomes {
            var parts: [String: Int] = [:]
            for (word, count) in outcomes {
                parts[word] = try Scenario.part(count, divisor, "limits.outcomes.\(word)")
            }
            limits.outcomes = parts
        }
        for (fault, count) in played {
            limits.played[fault] = try Scenario.part(count, divisor, "limits.played.\(fault.rawValue)")
        }
        return limits
    }

    /// Each limit with what was measured, in the order of the file's description.
    func judge(_ measured: ScenarioMeasures) -> [LimitReport] {
        var reports: [LimitReport] = []
        if let outcomes {
            for word in Set(outcomes.keys).union(measured.counts.filter { $0.value > 0 }.keys).sorted() {
                let count = measured.counts[word] ?? 0
                reports.append(
                    LimitReport("outcomes.\(word)", "\(outcomes[word] ?? 0)", "\(count)", count == outcomes[word] ?? 0)
                )
            }
        }
        if let enrolled {
            reports.append(.atLeast("enrolled", enrolled, measured.counts["issued"] ?? 0, of: measured.units))
        }
        for (fault, count) in played.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let played = measured.played[fault] ?? 0
            reports.append(
                LimitReport("played.\(fault.rawValue)", "at least \(count)", "\(played)", played >= count)
            )
        }
        for (name, limits, fraction) in [("p50", p50, 0.5), ("p99", p99, 0.99)] {
            for (stage, milliseconds) in limits.sorted(by: { $0.key.word < $1.key.word }) {
                reports.append(
                    .atMost(
                        "\(name).\(stage.word)",
                        .milliseconds(milliseconds),
                        measured.stages[stage]?.percentile(fraction)
                    )
                )
            }
        }
        if let retries { reports.append(.atMost("retries", retries, measured.retriesMost)) }
        if let duration { reports.append(.atMost("duration", duration, measured.duration)) }
        reports.append(.atMost("certificatesPerKey", certificatesPerKey, measured.certificatesPerKey))
        reports.append(.atMost("missing", missing, measured.missing))
        reports.append(.atMost("changed", 0, measured.changed))
        return reports
    }
}

/// What limits are held against.
struct ScenarioMeasures: Sendable {
    /// Devices and their copies.
    var units = 0
    /// By the words of `--expect`.
    var counts: [String: Int] = [:]
    var played: [FaultName: Int] = [:]
    var stages: [Stage: LatencyHistogram] = [:]
    var retriesMost = 0
    var duration: Duration = .zero
    /// The most of one DeviceID and key; nil if the record was not looked at.
    var certificatesPerKey: Int?
    /// Held by devices and not in the record; nil if that was not looked at.
    var missing: Int?
    /// Devices that were given other octets when they came back with the same key.
    var changed = 0
}
