/// What happened when, as curves of counts that only rise. Pure.
struct Timeline: Sendable {
    /// The width of a step.
    static let step: Duration = .milliseconds(50)
    /// The most points of a curve; what comes later counts to the last one's step and is not told apart.
    static let pointsMax = 20_000

    /// Counts in each step, by curve.
    private var counts: [String: [Int: Int]] = [:]

    /// One more of `name`, so long after the beginning.
    mutating func note(_ name: String, at time: Duration) {
        let step = Int(max(time, .zero) / Self.step)
        counts[name, default: [:]][min(step, Self.pointsMax - 1), default: 0] += 1
    }

    /// Adds another, whose beginning was so long after this one's.
    mutating func add(_ other: Timeline, after offset: Duration) {
        let steps = Int(offset / Self.step)
        for (name, curve) in other.counts {
            for (step, count) in curve {
                counts[name, default: [:]][min(step + steps, Self.pointsMax - 1), default: 0] += count
            }
        }
    }

    /// The curves of these names, in their order; one that nothing was noted for is left out.
    func series(_ names: [String]) -> [CurveReport] {
        names.compactMap { name in
            guard let curve = counts[name] else { return nil }
            var total = 0
            let points = curve.sorted { $0.key < $1.key }.map { step, count in
                total += count
                return CurveReport.Point(x: (Self.step * (step + 1)).milliseconds / 1000, y: Double(total))
            }
            return CurveReport(name: name, points: points)
        }
    }

    /// All names.
    var names: [String] { counts.keys.sorted() }
}

/// A curve of a plot.
struct CurveReport: Codable, Hashable, Sendable {
    struct Point: Codable, Hashable, Sendable {
        let x: Double
        let y: Double
    }

    let name: String
    let points: [Point]
}
