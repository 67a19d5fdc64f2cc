import Foundation
import Testing

@testable import fleetsim

@Suite struct `A report's page` {
    private func page(_ curves: [CurveReport], title: String = "s", verdict: RunVerdict = .passed) -> ReportPage {
        ReportPage(
            title: title,
            verdict: verdict,
            facts: ["a < b"],
            limits: [LimitReport("p99.session", "at most 1 s", "<never>", false)],
            plots: [PagePlot(title: "When", plot: LinePlot(curves: curves, x: "seconds", y: "devices"))],
            tables: [PageTable.counts("Problems", ["\"x\" & y": 3]), PageTable.counts("None", [:])]
        )
    }

    private let curve = CurveReport(name: "revoked", points: [.init(x: 0.5, y: 1), .init(x: 2, y: 7)])

    @Test func `needs nothing from elsewhere and runs nothing`() {
        let html = page([curve]).html
        for word in ["http:", "https:", "<script", "<link", "<img", "url(", "@import"] {
            #expect(!html.contains(word), "\(word)")
        }
        #expect(html.contains("default-src 'none'"))
    }

    @Test func `closes each tag that it opens, and no text of a server opens one`() throws {
        let html = page([curve], title: "<&>\"").html
        let body = try #require(html.firstRange(of: "<body>"))
        let end = try #require(html.firstRange(of: "</body>"))
        var open: [Substring] = []
        for tag in html[body.lowerBound..<end.upperBound].matches(of: /<(\/?)([a-z0-9]+)([^<>]*)>/)
        where tag.3.last != "/" {
            if tag.1.isEmpty { open.append(tag.2) } else { #expect(open.popLast() == tag.2) }
        }
        #expect(open.isEmpty)
        #expect(html.contains("&lt;never&gt;") && html.contains("&quot;x&quot; &amp; y") && !html.contains("None"))
    }

    @Test func `says whether it passed, and draws each curve with its name`() {
        #expect(page([curve]).html.contains(">passed<"))
        #expect(page([curve], verdict: .failed).html.contains("\"fail\">failed<"))
        #expect(page([curve], verdict: .interrupted).html.contains("\"fail\">interrupted<"))
        let two = page([curve, CurveReport(name: "renewal refused", points: curve.points)]).html
        #expect(two.contains(">revoked</text>") && two.contains(">renewal refused</text>"))
        #expect(two.components(separatedBy: "stroke-width=\"2\"").count - 1 == 4)
        #expect(page([]).html.contains("Nothing was measured."))
    }
}

@Suite struct `An axis` {
    @Test(arguments: [(0.0, 1), (0.4, 5), (1, 6), (7, 5), (950, 6), (12_345, 4)])
    func `has a few even marks from nothing to the most`(most: Double, marks: Int) {
        let axis = Axis.even(most: most)
        #expect(axis.marks.first == 0 && axis.most >= most)
        #expect((2...7).contains(axis.marks.count), "\(axis.marks)")
        #expect(axis.share(0) == 0 && axis.share(axis.most) == 1 && axis.share(-1) == 0)
    }

    @Test func `of powers has a mark at each, and takes what is less for the least`() {
        let axis = Axis.powers(least: 0.1, most: 250)
        #expect(axis.marks.map { $0.rounded() } == [0, 1, 10, 100, 1000])
        #expect(axis.share(0) == 0 && abs(axis.share(10) - 0.5) < 0.001 && axis.share(1_000_000) == 1)
    }

    @Test func `is drawn with no more points than it has room for, the last among them`() {
        let points = (1...10_000).map { CurveReport.Point(x: Double($0), y: Double($0)) }
        let thinned = LinePlot.thinned(points)
        #expect((500...700).contains(thinned.count) && thinned.last == points.last)
        #expect(LinePlot.thinned(Array(points.prefix(5))).count == 5)
    }
}

@Suite struct `A timeline` {
    @Test func `counts what came up to each moment, by name`() {
        var timeline = Timeline()
        for milliseconds in [10, 20, 70, 400] { timeline.note("a", at: .milliseconds(milliseconds)) }
        timeline.note("b", at: .milliseconds(-5))
        let series = timeline.series(["b", "a", "c"])
        #expect(series.map(\.name) == ["b", "a"])
        #expect(series[1].points.map(\.y) == [2, 3, 4] && series[1].points.map(\.x) == [0.05, 0.1, 0.45])
    }

    @Test func `takes another whose beginning was later, and has a bound`() {
        var timeline = Timeline()
        var second = Timeline()
        second.note("a", at: .milliseconds(10))
        second.note("a", at: .seconds(1_000_000))
        timeline.note("a", at: .zero)
        timeline.add(second, after: .seconds(2))
        #expect(timeline.series(["a"])[0].points.map(\.x) == [0.05, 2.05, 1000])
    }
}
