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
            let share = Double(measured.counts["issued"] ?? 0) / Double(max(measured.units, 1))
            reports.append(
                LimitReport("enrolled", "at least \(Self.percent(enrolled))", Self.percent(share), share >= enrolled)
            )
        }
        for (fault, count) in played.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let played = measured.played[fault] ?? 0
            reports.append(
                LimitReport("played.\(fault.rawValue)", "at least \(count)", "\(played)", played >= count)
            )
        }
        for (name, limits, fraction) in [("p50", p50, 0.5), ("p99", p99, 0.99)] {
            for (stage, milliseconds) in limits.sorted(by: { $0.key.word < $1.key.word }) {
                let limit = Duration.milliseconds(milliseconds)
                let value = measured.stages[stage]?.percentile(fraction)
                reports.append(
                    LimitReport(
                        "\(name).\(stage.word)",
                        "at most \(Self.text(limit))",
                        value.map(Self.text) ?? "never measured",
                        value.map { $0 <= limit } ?? false
                    )
                )
            }
        }
        if let retries { reports.append(.atMost("retries", retries, measured.retriesMost)) }
        if let duration {
            reports.append(
                LimitReport(
                    "duration",
                    "at most \(Self.text(duration))",
                    Self.text(measured.duration),
                    measured.duration <= duration
                )
            )
        }
        reports.append(.atMost("certificatesPerKey", certificatesPerKey, measured.certificatesPerKey))
        reports.append(.atMost("missing", missing, measured.missing))
        reports.append(.atMost("changed", 0, measured.changed))
        return reports
    }

    private static func percent(_ share: Double) -> String {
        let text = "\((share * 10_000).rounded(.down) / 100)"
        return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + " %"
    }

    private static func text(_ duration: Duration) -> String {
        let milliseconds = duration.milliseconds
        return milliseconds < 10_000
            ? "\(Int(milliseconds.rounded(.up))) ms" : "\((milliseconds / 100).rounded(.up) / 10) s"
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

/// A limit, what was measured, and whether it is met.
struct LimitReport: Codable, Hashable, Sendable {
    let limit: String
    let wanted: String
    let measured: String
    let isMet: Bool

    init(_ limit: String, _ wanted: String, _ measured: String, _ isMet: Bool) {
        self.limit = limit
        self.wanted = wanted
        self.measured = measured
        self.isMet = isMet
    }

    /// What was not measured is not met.
    static func atMost(_ limit: String, _ wanted: Int, _ measured: Int?) -> LimitReport {
        LimitReport(
            limit,
            "at most \(wanted)",
            measured.map { "\($0)" } ?? "not looked at",
            measured.map { $0 <= wanted } ?? false
        )
    }
}
