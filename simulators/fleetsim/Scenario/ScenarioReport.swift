import Foundation

/// What a scenario came to, for people and for programs.
struct ScenarioReport: Codable, Sendable {
    struct PhaseReport: Codable, Sendable {
        let name: String
        let units: Int
        let seconds: Double
        /// By the words of `--expect`.
        let counts: [String: Int]
    }

    let scenario: String
    let seed: UInt64
    /// What its counts were divided by.
    let part: Int
    let fleet: String
    let units: Int
    let unitsDone: Int
    let isInterrupted: Bool
    let seconds: Double
    let phases: [PhaseReport]
    let counts: [String: Int]
    let reasons: [String: Int]
    let retries: [String: Int]
    /// Faults that were played, once for each time.
    let played: [String: Int]
    /// Devices that waited for a server that was away, and came back together.
    let waitedForServer: Int
    let stages: [String: Report.StageReport]
    let record: Report.RecordReport?
    let keys: KeyProof.Finding?
    let limits: [LimitReport]

    /// True if the whole was played and every limit is met.
    var isSuccess: Bool { !isInterrupted && unitsDone == units && limits.allSatisfy(\.isMet) }

    /// The whole as lines of text.
    var text: String {
        let tried = isInterrupted ? "interrupted after \(unitsDone) of \(units)" : "\(unitsDone)"
        let part = part == 1 ? "" : " (1/\(part) of it)"
        var lines = ["scenario \(scenario)\(part), seed \(seed), fleet \(fleet): \(tried) units"]
        for phase in phases {
            let counts = phase.counts.isEmpty ? "nothing" : Expectation.text(phase.counts)
            lines.append(
                "  \(phase.name): \(phase.units) units in \(String(format: "%.2f", phase.seconds)) s, \(counts)"
            )
        }
        lines += Report.block("reasons", reasons) + Report.block("retries", retries) + Report.block("played", played)
        if waitedForServer > 0 {
            lines.append("\(waitedForServer) devices waited for the server, and came back together")
        }
        lines += Report.table(stages)
        if let problem = record?.problem ?? keys?.problem { lines.append("RECORD NOT CHECKED: \(problem)") }
        if record == nil { lines.append("dev.json names no database; the record was not checked") }
        lines.append("limits")
        let width = limits.map(\.limit.count).max() ?? 0
        for limit in limits {
            let name = limit.limit + String(repeating: " ", count: width - limit.limit.count)
            lines.append("  \(limit.isMet ? "pass" : "FAIL")  \(name)  \(limit.measured) (\(limit.wanted))")
        }
        lines.append(isSuccess ? "PASSED" : "FAILED")
        return lines.joined(separator: "\n")
    }

    /// The whole as JSON, keys in order.
    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
