import Foundation

/// What a fleet that renews came to, for people and for programs.
struct RenewalReport: Codable, RunReport {
    let scenario: String
    let seed: UInt64
    /// What its counts were divided by.
    let part: Int
    let fleet: String
    let devices: Int
    let isInterrupted: Bool
    let renewals: Int
    /// Devices that came back after their certificate's end, and those of them that got another.
    let outdated: Int
    let returned: Int
    /// Requests in the second that had most.
    let peak: Int
    let seconds: Double
    /// What ended devices.
    let problems: [String: Int]
    /// What devices were told instead of a certificate.
    let answers: [String: Int]
    /// Of renewals; nil if there was none.
    let times: Report.StageReport?
    let distribution: CurveReport
    let timeline: [CurveReport]
    /// Requests in each second.
    let rate: CurveReport
    let limits: [LimitReport]

    var isSuccess: Bool { !isInterrupted && limits.allSatisfy(\.isMet) }

    private var headline: String {
        let part = part == 1 ? "" : " (1/\(part) of it)"
        let end = isInterrupted ? ", interrupted after \(Report.decimals(seconds, 2)) s" : ""
        return "scenario \(scenario)\(part), seed \(seed), fleet \(fleet): \(devices) devices, \(renewals) renewals"
            + end
    }

    private var summary: String {
        "\(outdated) devices came back after their certificate's end, \(returned) of them got another; "
            + "at most \(peak) requests in a second"
    }

    private var rows: [(name: String, times: Report.StageReport)] { times.map { [("renewal", $0)] } ?? [] }

    /// The whole as lines of text.
    var text: String {
        var lines = [headline, "  " + summary]
        lines += Report.block("problems", problems) + Report.block("answers", answers) + Report.table(rows)
        return (lines + LimitReport.lines(limits, verdict)).joined(separator: "\n")
    }

    /// The whole as a page.
    var page: ReportPage {
        ReportPage(
            title: "\(scenario), seed \(seed)",
            verdict: verdict,
            facts: [headline + ".", summary + "."],
            limits: limits,
            plots: [
                PagePlot(title: "Requests in each second", plot: LinePlot(curves: [rate], x: "seconds", y: "requests")),
                PagePlot(title: "What came of them", plot: LinePlot(curves: timeline, x: "seconds", y: "in all")),
                PagePlot(
                    title: "How long a renewal took, with its retries",
                    plot: LinePlot(
                        curves: [distribution],
                        x: "milliseconds",
                        y: "share of the renewals",
                        isLogarithmic: true
                    )
                ),
            ],
            tables: [
                PageTable.times(rows), PageTable.counts("Problems", problems), PageTable.counts("Answers", answers),
            ]
        )
    }
}
