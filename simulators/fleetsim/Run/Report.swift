import Foundation

/// What a run came to, for people and for programs.
struct Report: Codable, Sendable {
    /// Durations of a stage, in milliseconds.
    struct StageReport: Codable, Sendable {
        let count: Int
        let p50Milliseconds: Double
        let p90Milliseconds: Double
        let p99Milliseconds: Double
        let maxMilliseconds: Double

        init(_ histogram: LatencyHistogram) {
            count = histogram.count
            p50Milliseconds = (histogram.percentile(0.5) ?? .zero).milliseconds
            p90Milliseconds = (histogram.percentile(0.9) ?? .zero).milliseconds
            p99Milliseconds = (histogram.percentile(0.99) ?? .zero).milliseconds
            maxMilliseconds = histogram.max.milliseconds
        }
    }

    /// The record held against the devices.
    struct RecordReport: Codable, Sendable {
        /// Certificates that devices hold.
        let held: Int
        /// Of them, those that the record has, octet for octet.
        let found: Int
        /// Why it could not be looked at; nil if it was.
        let problem: String?

        var missing: Int { held - found }
    }

    /// What became of the devices of one claim.
    struct ClaimReport: Codable, Sendable {
        /// Of the certificate, hexadecimal: the credential's name in the record.
        let sha256: String
        /// Devices by the words of `--expect`.
        let counts: [String: Int]
    }

    let seed: UInt64
    let fleet: String
    let identity: String
    let key: String
    let devicesAsked: Int
    let devicesDone: Int
    let isInterrupted: Bool
    let seconds: Double
    let enrolledPerSecond: Double
    let outcomes: [String: Int]
    let reasons: [String: Int]
    let retries: [String: Int]
    /// Devices by the words of `--expect`, which are the server's reason codes where it gave some.
    let counts: [String: Int]
    /// What `--expect` wants the counts to be; nil if every device was to enroll.
    let expected: [String: Int]?
    /// Nil with IDevIDs.
    let claims: [ClaimReport]?
    /// Trust stores that devices verified and acknowledged; nil without MQTT.
    let acknowledged: Int?
    /// By the stage's name.
    let stages: [String: StageReport]
    let record: RecordReport?

    /// True if every device did all it was to do, or the counts are those expected, and the record has all they hold.
    var isSuccess: Bool {
        !isInterrupted && isExpected && (record.map { $0.problem == nil && $0.missing == 0 } ?? true)
    }

    private var isExpected: Bool {
        guard let expected else { return outcomes[Outcome.enrolled.name] == devicesAsked }
        return Expectation(counts: expected).isMet(by: counts)
    }

    static func stages(_ statistics: RunStatistics) -> [String: StageReport] {
        var reports: [String: StageReport] = [:]
        for (stage, histogram) in statistics.stages {
            reports[stage.rawValue] = StageReport(histogram)
        }
        return reports
    }

    /// The whole as lines of text.
    var text: String {
        let tried = isInterrupted ? "interrupted after \(devicesDone) of \(devicesAsked)" : "\(devicesDone)"
        var lines = [
            "\(tried) devices of fleet \(fleet), seed \(seed), \(identity), \(key)",
            "\(Self.decimals(seconds, 2)) s, \(Self.decimals(enrolledPerSecond, 1)) enrolled a second",
        ]
        lines += outcomes.sorted { $0.key < $1.key }.map { "  \(Self.padded($0.key, 12)) \($0.value)" }
        lines += Self.block("reasons", reasons)
        if let claims, claims.count > 1 {
            lines.append("claims")
            lines += claims.map { "  \($0.sha256.prefix(16))  \(Expectation.text($0.counts))" }
        }
        lines += Self.block("retries", retries) + Self.table(stages)
        if let expected {
            lines.append(
                isExpected
                    ? "as expected: \(Expectation.text(expected))"
                    : "NOT AS EXPECTED: \(Expectation.text(expected)) was to come, \(Expectation.text(counts)) came"
            )
        }
        if let acknowledged { lines.append("\(acknowledged) devices verified and acknowledged their trust store") }
        if let record {
            if let problem = record.problem {
                lines.append("RECORD NOT CHECKED: \(problem)")
            } else if record.missing == 0 {
                lines.append("the record has all \(record.held) certificates that devices hold, octet for octet")
            } else {
                lines.append(
                    "MISSING FROM THE RECORD: \(record.missing) of \(record.held) certificates that devices hold"
                )
            }
        } else {
            lines.append("dev.json names no database; the record was not checked")
        }
        return lines.joined(separator: "\n")
    }

    /// The whole as JSON, keys in order.
    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    /// Counts under a title, the largest first; nothing if there are none.
    static func block(_ title: String, _ counts: [String: Int]) -> [String] {
        guard !counts.isEmpty else { return [] }
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return [title] + sorted.map { "  \(leftPadded("\($0.value)", 8))  \($0.key)" }
    }

    /// The durations of all stages.
    static func table(_ stages: [String: StageReport]) -> [String] { table(rows(stages)) }

    /// The stages in their order, with their names.
    static func rows(_ stages: [String: StageReport]) -> [(name: String, times: StageReport)] {
        Stage.allCases.compactMap { stage in stages[stage.rawValue].map { (stage.rawValue, $0) } }
    }

    /// The durations of these stages, whose names are so long at most.
    static func table(_ rows: [(name: String, times: StageReport)], width: Int = 12) -> [String] {
        ["  \(padded("stage (ms)", width))    count      p50      p90      p99      max"]
            + rows.map { name, times in
                let columns = [
                    times.p50Milliseconds, times.p90Milliseconds, times.p99Milliseconds, times.maxMilliseconds,
                ].map { leftPadded(decimals($0, 2), 9) }.joined()
                return "  \(padded(name, width)) \(leftPadded("\(times.count)", 8))\(columns)"
            }
    }

    static func decimals(_ value: Double, _ places: Int) -> String { String(format: "%.\(places)f", value) }
    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
    private static func leftPadded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

extension Duration {
    /// As a number of milliseconds.
    var milliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1000 + Double(attoseconds) / 1e15
    }
}
