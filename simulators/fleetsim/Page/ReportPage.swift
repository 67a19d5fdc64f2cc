import Foundation

/// A report as one page for a browser: no scripts, nothing from elsewhere, so that it opens offline and in years.
struct ReportPage: Sendable {
    let title: String
    let verdict: RunVerdict
    /// A paragraph each.
    let facts: [String]
    let limits: [LimitReport]
    let plots: [PagePlot]
    let tables: [PageTable]

    /// The whole, HTML.
    var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>\(Self.escaped(title))</title>
        <style>
        \(Self.style)
        </style>
        </head>
        <body>
        <h1>\(Self.escaped(title)): <span class="\(verdict == .passed ? "pass" : "fail")">\(verdict.rawValue)</span></h1>
        \(facts.map { "<p>\(Self.escaped($0))</p>" }.joined(separator: "\n"))
        \(limitTable)
        \(plots.map(\.html).joined(separator: "\n"))
        \(tables.map(\.html).joined(separator: "\n"))
        </body>
        </html>

        """
    }

    /// Writes it to a file.
    func write(to path: String) throws {
        do { try Data(html.utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
            throw SimulatorError.output("cannot write \(path): \(error.localizedDescription)")
        }
    }

    /// `text` where HTML and SVG take text.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    private var limitTable: String {
        let rows = limits.map { limit in
            """
            <tr><td class="\(limit.isMet ? "pass" : "fail")">\(limit.isMet ? "pass" : "FAIL")</td>\
            <td>\(Self.escaped(limit.limit))</td><td class="number">\(Self.escaped(limit.measured))</td>\
            <td>\(Self.escaped(limit.wanted))</td></tr>
            """
        }
        return """
            <h2>Limits</h2>
            <table>
            <tr><th></th><th>limit</th><th>measured</th><th>wanted</th></tr>
            \(rows.joined(separator: "\n"))
            </table>
            """
    }

    private static let style = """
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
        h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 0.5rem; }
        table { border-collapse: collapse; } th, td { text-align: left; padding: 0.2rem 1rem 0.2rem 0; }
        th { border-bottom: 1px solid #c4c9cf; font-weight: 600; } td { border-bottom: 1px solid #eceef0; }
        .number { text-align: right; font-variant-numeric: tabular-nums; }
        .pass { color: #1a7f37; } .fail { color: #b42318; font-weight: 600; }
        svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: #4a5159; }
        """
}

/// A plot with its title.
struct PagePlot: Sendable {
    let title: String
    let plot: LinePlot

    var html: String { "<h2>\(ReportPage.escaped(title))</h2>\n\(plot.svg)" }
}

/// A table with its title; nothing at all without rows.
struct PageTable: Sendable {
    let title: String
    let head: [String]
    /// Words first, then numbers.
    let rows: [[String]]

    var html: String {
        guard !rows.isEmpty else { return "" }
        let header = head.map { "<th>\(ReportPage.escaped($0))</th>" }.joined()
        let lines = rows.map { row in
            let cells = row.enumerated().map { index, text in
                "<td\(index > 0 ? " class=\"number\"" : "")>\(ReportPage.escaped(text))</td>"
            }
            return "<tr>\(cells.joined())</tr>"
        }
        return """
            <h2>\(ReportPage.escaped(title))</h2>
            <table>
            <tr>\(header)</tr>
            \(lines.joined(separator: "\n"))
            </table>
            """
    }

    /// Durations of stages.
    static func times(_ rows: [(name: String, times: Report.StageReport)]) -> PageTable {
        PageTable(
            title: "Times in milliseconds",
            head: ["stage", "count", "p50", "p90", "p99", "max"],
            rows: rows.map { name, times in
                [name, "\(times.count)"]
                    + [times.p50Milliseconds, times.p90Milliseconds, times.p99Milliseconds, times.maxMilliseconds].map {
                        Report.decimals($0, 2)
                    }
            }
        )
    }

    /// Counts, the largest first.
    static func counts(_ title: String, _ counts: [String: Int]) -> PageTable {
        PageTable(
            title: title,
            head: ["what", "how often"],
            rows: counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { [$0.key, "\($0.value)"] }
        )
    }
}
