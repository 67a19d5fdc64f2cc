import Foundation
import Testing

/// Alerts, their pages and the dashboard against the metrics that there are.
@Suite struct `The monitoring` {
    private static let rules = "ops/alerts/muster.yaml"
    private static let ruleTests = "ops/alerts/muster-tests.yaml"
    private static let dashboard = "ops/dashboards/muster.json"
    private static let pages = "ops/runbooks/"
    /// Where metrics are declared: the server's, and the agent's, which writes its own.
    private static let serverMetrics = "Sources/muster/Serve/MusterMetrics.swift"
    private static let agentMetrics = "Sources/Agent/AgentStatus.swift"
    /// The parts of a page.
    private static let headings = [
        "## What it means", "## What to look at", "## What to do", "## When it is over",
    ]
    /// Names that look like metrics and are the database's roles.
    private static let roles: Set<String> = ["muster_owner", "muster_server"]

    private let repository: Repository
    private let files: Set<String>

    init() throws {
        repository = try Repository()
        files = Set(try repository.files())
    }

    @Test(arguments: [Self.rules, Self.ruleTests, Self.dashboard])
    func `asks only for metrics that exist`(path: String) throws {
        let known = try sampleNames()
        #expect(known.count > 20, "too few metrics are found in the sources; are they declared elsewhere now?")
        let used = Self.metrics(in: try repository.text(path))
        #expect(!used.isEmpty)
        for name in used.subtracting(known).sorted() { Issue.record("\(path) asks for \(name), which does not exist") }
    }

    @Test func `has pages that ask only for metrics that exist`() throws {
        let known = try sampleNames().union(Self.roles)
        for path in pagePaths() {
            for name in Self.metrics(in: try repository.text(path)).subtracting(known).sorted() {
                Issue.record("\(path) asks for \(name), which does not exist")
            }
        }
    }

    @Test func `has every metric of the server in the dashboard`() throws {
        let text = try repository.text(Self.dashboard)
        for metric in try declared() where !text.contains(metric.name) {
            Issue.record("\(Self.dashboard) does not show \(metric.name)")
        }
    }

    @Test func `has a page for each alert, and an alert for each page`() throws {
        let text = try repository.text(Self.rules)
        let named = text.matches(of: #/- alert: (\w+)/#).map { String($0.1) }
        let runbooks = text.matches(of: #/runbook: (\S+)/#).map { String($0.1) }
        try #require(named.count == runbooks.count && !named.isEmpty)
        for (alert, runbook) in zip(named, runbooks) {
            #expect(runbook == Self.pages + Self.kebab(alert) + ".md", "the page of \(alert) is named as it is")
            #expect(files.contains(runbook), "\(runbook) is missing")
        }
        for page in Set(pagePaths()).subtracting(runbooks).sorted() { Issue.record("\(page) belongs to no alert") }
        let index = try repository.text(Self.pages + "README.md")
        for alert in Set(named).sorted() {
            #expect(index.contains("[\(alert)](\(Self.kebab(alert)).md)"), "the index has no line for \(alert)")
        }
    }

    @Test func `has pages that say the same four things, and lead only to what is there`() throws {
        for path in pagePaths() {
            let text = try repository.text(path)
            let found = text.split(separator: "\n").filter { $0.hasPrefix("## ") }.map(String.init)
            #expect(found == Self.headings, "\(path)")
            for link in text.matches(of: #/\]\(([^):]+\.md)\)/#) {
                #expect(files.contains(Self.pages + link.1), "\(path) leads to \(link.1), which is missing")
            }
        }
    }

    @Test func `sees each alert fire in a test`() throws {
        let tests = try repository.text(Self.ruleTests)
        let alerts = try repository.text(Self.rules).matches(of: #/- alert: (\w+)/#).map { String($0.1) }
        for alert in Set(alerts).sorted() {
            let isSeen = tests.contains("ALERTS{alertname=\"\(alert)\", alertstate=\"firing\", severity=")
            let isSeenWhole = tests.contains("- alertname: \(alert)\n")
            #expect(isSeen || isSeenWhole, "no test of \(Self.ruleTests) expects \(alert)")
        }
    }

    @Test func `has a dashboard that is JSON, and describes each panel`() throws {
        struct Dashboard: Decodable {
            struct Panel: Decodable {
                let id: Int
                let type: String
                let title: String
                let description: String?
            }
            let title: String
            let schemaVersion: Int
            let panels: [Panel]
        }
        let text = try repository.text(Self.dashboard)
        let dashboard = try JSONDecoder().decode(Dashboard.self, from: Data(text.utf8))
        #expect(dashboard.title == "Muster")
        #expect(Set(dashboard.panels.map(\.id)).count == dashboard.panels.count, "two panels have one id")
        for panel in dashboard.panels where panel.type != "row" {
            #expect(panel.description?.isEmpty == false, "the panel \(panel.title) has no description")
        }
    }

    @Test(arguments: [
        ("MusterServerDown", "muster-server-down"), ("MusterCRLEnds", "muster-crl-ends"),
        ("MusterOCSPTryLater", "muster-ocsp-try-later"),
    ])
    func `names a page as its alert`(alert: String, page: String) {
        #expect(Self.kebab(alert) == page)
    }

    // MARK: What there is

    private func declared() throws -> [(kind: Substring, name: String)] {
        try repository.text(Self.serverMetrics)
            .matches(of: #/MetricDescription\.(counter|gauge|histogram)\(\s*"(muster_\w+)"/#)
            .map { ($0.1, String($0.2)) }
    }

    /// The names of the samples, as `/metrics` and the agent's file have them: a histogram has three of its own.
    private func sampleNames() throws -> Set<String> {
        let ofServer = try declared().flatMap { kind, name in
            kind == "histogram" ? ["_bucket", "_sum", "_count"].map { name + $0 } : [name]
        }
        let ofAgent = try repository.text(Self.agentMetrics).matches(of: #/# TYPE (muster_\w+) /#).map { String($0.1) }
        #expect(!ofAgent.isEmpty)
        return Set(ofServer + ofAgent)
    }

    private func pagePaths() -> [String] {
        files.filter { $0.hasPrefix(Self.pages) && !$0.hasSuffix("/README.md") }.sorted()
    }

    private static func metrics(in text: String) -> Set<String> {
        Set(text.matches(of: #/\bmuster_[a-z0-9_]+/#).map { String($0.0) })
    }

    /// `MusterCRLEnds` is `muster-crl-ends`.
    private static func kebab(_ name: String) -> String {
        let letters = Array(name)
        return letters.indices.reduce(into: "") { text, index in
            let startsWord =
                index > 0 && letters[index].isUppercase
                && (letters[index - 1].isLowercase
                    || index + 1 < letters.count && letters[index + 1].isLowercase)
            text += (startsWord ? "-" : "") + letters[index].lowercased()
        }
    }
}
