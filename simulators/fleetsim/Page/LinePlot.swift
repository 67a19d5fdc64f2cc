import Foundation

/// Curves, drawn as steps in SVG: from each point to the next nothing changes.
struct LinePlot: Sendable {
    let curves: [CurveReport]
    /// What the axes are.
    let x: String
    let y: String
    /// True if x is drawn by its powers of ten.
    var isLogarithmic = false

    private static let width = 860.0
    private static let height = 320.0
    private static let left = 60.0
    private static let right = 200.0
    private static let top = 12.0
    private static let bottom = 44.0
    /// The most points of a curve that are drawn: more than the page has dots.
    private static let pointsMax = 600
    /// The least value on a logarithmic axis.
    private static let least = 0.1
    /// Told apart in every kind of colour vision (Okabe and Ito); dashes tell them apart in print.
    private static let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4a5159"]
    private static let dashes = ["", "7 3", "2 3", "9 3 2 3"]

    private var most: (x: Double, y: Double) {
        let points = curves.flatMap(\.points)
        return (points.map(\.x).max() ?? 1, points.map(\.y).max() ?? 1)
    }

    /// The whole plot.
    var svg: String {
        guard curves.contains(where: { !$0.points.isEmpty }) else { return "<p>Nothing was measured.</p>" }
        let most = most
        let axisX = isLogarithmic ? Axis.powers(least: Self.least, most: most.x) : Axis.even(most: most.x)
        let axisY = Axis.even(most: most.y)
        var parts = [
            """
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" \
            aria-label="\(ReportPage.escaped("\(y) by \(x)"))">
            """
        ]
        parts += grid(axisX, axisY)
        for (index, curve) in curves.enumerated() { parts += line(curve, index, axisX, axisY) }
        parts.append("</svg>")
        return parts.joined(separator: "\n")
    }

    private func grid(_ axisX: Axis, _ axisY: Axis) -> [String] {
        let (floor, end) = (Self.height - Self.bottom, Self.width - Self.right)
        var parts: [String] = []
        for mark in axisX.marks {
            let place = Self.text(placeX(mark, axisX))
            parts.append("<path d=\"M\(place) \(Self.top)V\(floor)\" stroke=\"#eceef0\"/>")
            parts.append("<text x=\"\(place)\" y=\"\(floor + 16)\" text-anchor=\"middle\">\(Self.number(mark))</text>")
        }
        for mark in axisY.marks {
            let place = placeY(mark, axisY)
            parts.append("<path d=\"M\(Self.left) \(Self.text(place))H\(end)\" stroke=\"#eceef0\"/>")
            parts.append(
                "<text x=\"\(Self.left - 8)\" y=\"\(Self.text(place + 4))\" text-anchor=\"end\">\(Self.number(mark))</text>"
            )
        }
        let middle = (Self.left + end) / 2
        parts.append(
            "<text x=\"\(middle)\" y=\"\(Self.height - 8)\" text-anchor=\"middle\">\(ReportPage.escaped(x))</text>"
        )
        parts.append(
            """
            <text x="14" y="\(Self.height / 2)" text-anchor="middle" transform="rotate(-90 14 \(Self.height / 2))">\
            \(ReportPage.escaped(y))</text>
            """
        )
        return parts
    }

    private func line(_ curve: CurveReport, _ index: Int, _ axisX: Axis, _ axisY: Axis) -> [String] {
        let colour = Self.colours[index % Self.colours.count]
        let dash = Self.dashes[index % Self.dashes.count]
        let style = "fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\" stroke-dasharray=\"\(dash)\""
        var path = "M\(Self.text(placeX(axisX.least, axisX))) \(Self.text(placeY(0, axisY)))"
        for point in Self.thinned(curve.points) {
            path += "H\(Self.text(placeX(point.x, axisX)))V\(Self.text(placeY(point.y, axisY)))"
        }
        path += "H\(Self.text(placeX(axisX.most, axisX)))"
        let (legend, row) = (Self.width - Self.right + 14, Self.top + 12 + Double(index) * 20)
        return [
            "<path d=\"\(path)\" \(style)/>",
            "<path d=\"M\(legend) \(row - 4)h24\" \(style)/>",
            "<text x=\"\(legend + 32)\" y=\"\(row)\">\(ReportPage.escaped(curve.name))</text>",
        ]
    }

    private func placeX(_ value: Double, _ axis: Axis) -> Double {
        Self.left + axis.share(value) * (Self.width - Self.right - Self.left)
    }

    private func placeY(_ value: Double, _ axis: Axis) -> Double {
        Self.height - Self.bottom - axis.share(value) * (Self.height - Self.bottom - Self.top)
    }

    /// Some of the points, the last among them.
    static func thinned(_ points: [CurveReport.Point]) -> [CurveReport.Point] {
        let stride = max(1, points.count / pointsMax)
        return points.enumerated().filter { index, _ in
            index % stride == stride - 1 || index == points.count - 1
        }.map(\.element)
    }

    private static func text(_ value: Double) -> String { String(format: "%.1f", value) }

    /// A mark's number, without zeros at its end.
    private static func number(_ value: Double) -> String { String(format: "%g", value) }
}

/// An axis of a plot: how far it goes, and its marks.
struct Axis: Hashable, Sendable {
    /// The most marks.
    static let marksMax = 12

    let least: Double
    let most: Double
    let marks: [Double]
    private let isLogarithmic: Bool

    /// From 0 on, with marks at 1, 2 or 5 of a power of ten.
    static func even(most: Double) -> Axis {
        let most = max(most, 0.001)
        let power = pow(10, (log10(most / 5)).rounded(.down))
        let step = [1, 2, 5, 10].map { $0 * power }.first { most / $0 <= 6 } ?? power * 10
        let count = min(Int((most / step).rounded(.up)), marksMax)
        return Axis(
            least: 0,
            most: max(Double(count) * step, most),
            marks: (0...count).map { Double($0) * step },
            isLogarithmic: false
        )
    }

    /// From a power of ten on, with a mark at each power.
    static func powers(least: Double, most: Double) -> Axis {
        let first = log10(least).rounded(.down)
        let last = max(log10(max(most, least)).rounded(.up), first + 1)
        let count = min(Int(last - first), marksMax)
        return Axis(
            least: pow(10, first),
            most: pow(10, last),
            marks: (0...count).map { pow(10, first + Double($0)) },
            isLogarithmic: true
        )
    }

    private init(least: Double, most: Double, marks: [Double], isLogarithmic: Bool) {
        self.least = least
        self.most = most
        self.marks = marks
        self.isLogarithmic = isLogarithmic
    }

    /// Where a value lies, from 0 to 1.
    func share(_ value: Double) -> Double {
        let bounded = min(max(value, least), most)
        guard isLogarithmic else { return (bounded - least) / (most - least) }
        return log10(bounded / least) / log10(most / least)
    }
}
