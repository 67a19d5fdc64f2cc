import Foundation

/// What a scenario came to, for people and for programs.
struct ScenarioReport: Codable, RunReport {
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
    /// How many of a stage took no longer than that: milliseconds, and a share from 0 to 1.
    let distributions: [CurveReport]
    /// Devices that came to their end, by the words of `--expect`, over the seconds of the run.
    let timeline: [CurveReport]

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
        lines += LimitReport.lines(limits, verdict)
        return lines.joined(separator: "\n")
    }

    /// The whole as a page.
    var page: ReportPage {
        ReportPage(
            title: "\(scenario), seed \(seed)",
            verdict: verdict,
            facts: ["\(unitsDone) of \(units) devices and copies in fleet \(fleet), \(Report.decimals(seconds, 2)) s."],
            limits: limits,
            plots: [
                PagePlot(
                    title: "Devices that came to their end",
                    plot: LinePlot(curves: timeline, x: "seconds", y: "devices")
                ),
                PagePlot(
                    title: "How long each stage took",
                    plot: LinePlot(
                        curves: distributions,
                        x: "milliseconds",
                        y: "share of the devices",
                        isLogarithmic: true
                    )
                ),
            ],
            tables: [
                PageTable.times(Report.rows(stages)), PageTable.counts("Devices", counts),
                PageTable.counts("Reasons", reasons), PageTable.counts("Retries", retries),
                PageTable.counts("Faults that were played", played),
            ]
        )
    }
}
