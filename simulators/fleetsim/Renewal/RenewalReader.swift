import EST
import Yams

/// The part of a scenario file that is a fleet which renews: its section `renewal`, and limits of its own.
struct RenewalReader {
    /// The section that makes a file one.
    static let section = "renewal"
    private static let keys = (
        required: ["devices", "day", "days", "lifetime"],
        optional: ["renewAt", "skew", "offline", "concurrency"]
    )
    private static let limits = ["p50", "p99", "current", "lapsed", "returned", "peak", "duration"]
    private static let hoursForm = "a simulated time like 12h or 3d"
    private static let hoursMax = 366 * 24

    let file: String

    func renewal(_ root: Node) throws(ScenarioProblem) -> Renewal {
        let (top, head, section) = try ScenarioSection.opening(
            root,
            Self.section,
            file: file,
            required: Self.keys.required,
            optional: Self.keys.optional
        )
        let day = try section.value("day", "how long a simulated day takes, from 1s to 24h") { text in
            ScenarioValue.milliseconds(text).flatMap { $0 >= 1000 ? Duration.milliseconds($0) : nil }
        }
        let days = try section.integer("days", in: 1...366) ?? 1
        let lifetime = try section.value("lifetime", Self.hoursForm, Self.hours) ?? 24
        let renewal = try Renewal(
            name: head.name,
            seed: head.seed,
            fleet: head.fleet ?? Renewal.fleetStandard,
            prefix: head.prefix,
            key: head.key,
            retry: head.retry,
            devices: section.integer("devices", in: 1...Renewal.devicesMax) ?? 0,
            day: day ?? .seconds(1),
            hours: days * 24,
            lifetimeHours: lifetime,
            renewAt: shares(section),
            skew: group(section, "skew", "by"),
            offline: group(section, "offline", "for"),
            concurrency: section.integer("concurrency", in: 1...EnrollCommand.concurrencyMax) ?? 64,
            limits: limits(top)
        )
        guard renewal.lifetime >= Renewal.lifetimeMin else {
            throw section.problem(
                "lifetime",
                "takes \(renewal.lifetime) with that day, and no certificate lives less than 1m"
            )
        }
        guard renewal.play <= Renewal.playMax else {
            throw section.problem("days", "take \(renewal.play) with that day, and 24h is the most")
        }
        return renewal
    }

    private static func hours(_ text: String) -> Int? {
        guard let unit = text.last, let count = Int(text.dropLast()), count >= 0 else { return nil }
        switch unit {
        case "h": return count <= hoursMax ? count : nil
        case "d": return count <= hoursMax / 24 ? count * 24 : nil
        default: return nil
        }
    }

    /// In percent, since ranges are of whole numbers.
    private func shares(_ section: ScenarioSection) throws(ScenarioProblem) -> ClosedRange<Double> {
        let percents = try section.range("renewAt", "a share like 60%", in: 1...95) { text in
            text.hasSuffix("%") ? Int(text.dropLast()) : nil
        }
        let range = percents ?? 50...80
        return Double(range.lowerBound) / 100...Double(range.upperBound) / 100
    }

    private func group(
        _ section: ScenarioSection,
        _ key: String,
        _ length: String
    ) throws(ScenarioProblem) -> Renewal.Group? {
        guard let node = section.node(key) else { return nil }
        let inner = try ScenarioSection(
            node,
            name: "\(Self.section).\(key)",
            file: file,
            required: ["share", length],
            optional: []
        )
        let share = try inner.value("share", ScenarioValue.shareForm, ScenarioValue.share)
        let hours = try inner.range(length, Self.hoursForm, in: 0...Self.hoursMax, Self.hours)
        return Renewal.Group(share: share ?? 0, hours: hours ?? 0...0)
    }

    private func limits(_ top: ScenarioSection) throws(ScenarioProblem) -> RenewalLimits {
        var limits = RenewalLimits()
        guard let section = try top.section("limits", optional: Self.limits) else { return limits }
        limits.current = try section.value("current", ScenarioValue.shareForm, ScenarioValue.share) ?? 1
        limits.lapsed = try section.integer("lapsed", in: 0...Renewal.devicesMax) ?? 0
        limits.returned = try section.value("returned", ScenarioValue.shareForm, ScenarioValue.share) ?? 1
        limits.peak = try section.integer("peak", in: 1...1_000_000)
        limits.duration = try section.value("duration", ScenarioValue.durationForm, ScenarioValue.duration)
        limits.p50 = try time(section, "p50")
        limits.p99 = try time(section, "p99")
        return limits
    }

    /// Of a renewal.
    private func time(_ section: ScenarioSection, _ key: String) throws(ScenarioProblem) -> Duration? {
        try section.value(key, ScenarioValue.durationForm, ScenarioValue.duration)
    }
}
