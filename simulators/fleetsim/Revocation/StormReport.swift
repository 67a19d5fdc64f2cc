import Foundation

/// What a storm came to, for people and for programs.
struct StormReport: Codable, RunReport {
    struct StageReport: Codable, Sendable {
        let stage: StormStage
        let times: Report.StageReport
        /// How many of them took no longer than that: milliseconds, and a share from 0 to 1.
        let distribution: CurveReport
    }

    let scenario: String
    let seed: UInt64
    /// What its counts were divided by.
    let part: Int
    let fleet: String
    let devices: Int
    let isInterrupted: Bool
    let revoked: Int
    let seconds: Double
    /// Until everybody was connected.
    let secondsBefore: Double
    /// What was not as it should be, and how often.
    let problems: [String: Int]
    let stages: [StageReport]
    /// Since everybody was connected.
    let timeline: [CurveReport]
    let limits: [LimitReport]

    var isSuccess: Bool { !isInterrupted && limits.allSatisfy(\.isMet) }

    static func stages(_ histograms: [StormStage: LatencyHistogram]) -> [StageReport] {
        StormStage.allCases.compactMap { stage in
            histograms[stage].map { histogram in
                StageReport(
                    stage: stage,
                    times: Report.StageReport(histogram),
                    distribution: CurveReport(name: stage.title, points: histogram.distribution)
                )
            }
        }
    }

    /// The whole as lines of text.
    var text: String {
        var lines = [headline]
        lines.append("  connected after \(String(format: "%.2f", secondsBefore)) s, the end after \(seconds) s")
        lines += Report.block("problems", problems)
        lines += Report.table(stages.map { ($0.stage.title, $0.times) }, width: 22)
        return (lines + LimitReport.lines(limits, verdict)).joined(separator: "\n")
    }

    private var headline: String {
        let part = part == 1 ? "" : " (1/\(part) of it)"
        let end = isInterrupted ? ", interrupted after \(Report.decimals(seconds, 2)) s" : ""
        return "scenario \(scenario)\(part), seed \(seed), fleet \(fleet): \(devices) devices, \(revoked) revoked"
            + end
    }

    /// The whole as a page.
    var page: ReportPage {
        let refusals = stages.filter { StormStage.refusals.contains($0.stage) }
        let services = stages.filter { StormStage.services.contains($0.stage) }
        return ReportPage(
            title: "\(scenario), seed \(seed)",
            verdict: verdict,
            facts: [headline, "Everybody was connected after \(String(format: "%.2f", secondsBefore)) s."],
            limits: limits,
            plots: [
                PagePlot(
                    title: "What refused the revoked devices when",
                    plot: LinePlot(curves: timeline, x: "seconds since all were connected", y: "devices")
                ),
                PagePlot(
                    title: "From the operator's request to the refusal",
                    plot: LinePlot(
                        curves: refusals.map(\.distribution),
                        x: "milliseconds",
                        y: "share of the revoked devices",
                        isLogarithmic: true
                    )
                ),
                PagePlot(
                    title: "Meanwhile, for the other devices",
                    plot: LinePlot(
                        curves: services.map(\.distribution),
                        x: "milliseconds",
                        y: "share of the answers",
                        isLogarithmic: true
                    )
                ),
            ],
            tables: [
                PageTable.times(stages.map { ($0.stage.title, $0.times) }), PageTable.counts("Problems", problems),
            ]
        )
    }
}
