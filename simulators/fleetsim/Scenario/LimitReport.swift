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

    /// A time; what was not measured is not met.
    static func atMost(_ limit: String, _ wanted: Duration, _ measured: Duration?) -> LimitReport {
        LimitReport(
            limit,
            "at most \(text(wanted))",
            measured.map(text) ?? "never measured",
            measured.map { $0 <= wanted } ?? false
        )
    }

    /// A share of a whole.
    static func atLeast(_ limit: String, _ wanted: Double, _ count: Int, of total: Int) -> LimitReport {
        let share = Double(count) / Double(max(total, 1))
        return LimitReport(limit, "at least \(percent(wanted))", percent(share), share >= wanted)
    }

    /// Something that was to be done, and was not.
    static func unmet(_ limit: String, _ problem: String) -> LimitReport {
        LimitReport(limit, "done", problem, false)
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

    /// A line for each, and the verdict on all.
    static func lines(_ limits: [LimitReport], _ verdict: RunVerdict) -> [String] {
        let width = limits.map(\.limit.count).max() ?? 0
        return ["limits"]
            + limits.map { limit in
                let name = limit.limit + String(repeating: " ", count: width - limit.limit.count)
                return "  \(limit.isMet ? "pass" : "FAIL")  \(name)  \(limit.measured) (\(limit.wanted))"
            } + [verdict.rawValue.uppercased()]
    }
}
