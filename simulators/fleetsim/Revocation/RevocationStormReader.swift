import EST
import Yams

/// The part of a scenario file that is a storm: its section `revocation`, and limits of its own.
struct RevocationStormReader {
    /// The section that makes a file a storm's.
    static let section = "revocation"
    private static let keys = (
        required: ["devices", "leaked"],
        optional: ["concurrency", "operators", "watch", "probe", "patience", "gateway"]
    )
    private static let limits = ["p50", "p99", "refused", "unaffected", "duration"]

    let file: String

    func storm(_ root: Node) throws(ScenarioProblem) -> RevocationStorm {
        let (top, head, section) = try ScenarioSection.opening(
            root,
            Self.section,
            file: file,
            required: Self.keys.required,
            optional: Self.keys.optional
        )
        let devices = try section.integer("devices", in: 2...RevocationStorm.devicesMax) ?? 0
        let storm = try RevocationStorm(
            name: head.name,
            seed: head.seed,
            fleet: head.fleet,
            prefix: head.prefix,
            key: head.key,
            retry: head.retry,
            devices: devices,
            leaked: leaked(section, of: devices),
            concurrency: section.integer("concurrency", in: 1...RevocationStorm.concurrencyMax) ?? 64,
            operators: section.integer("operators", in: 1...RevocationStorm.operatorsMax) ?? 4,
            watch: pause(section, "watch") ?? .seconds(5),
            probe: pause(section, "probe") ?? .milliseconds(100),
            patience: patience(section),
            gateway: section.value("gateway", "https://host:port on this machine") { text in
                text.hasPrefix("https://") && (try? LoopbackEndpoint(url: text)) != nil ? text : nil
            },
            limits: limits(top)
        )
        guard (1..<storm.devices).contains(storm.leakedCount) else {
            throw section.problem("leaked", "must leave a device that is revoked and one that is not")
        }
        return storm
    }

    private func leaked(_ section: ScenarioSection, of devices: Int) throws(ScenarioProblem) -> RevocationStorm.Leaked {
        let leaked = try section.value("leaked", "a share like 10%, or a number of devices") { text in
            ScenarioValue.share(text).map { RevocationStorm.Leaked.share($0) }
                ?? Int(text).flatMap { (1..<devices).contains($0) ? .exactly($0) : nil }
        }
        return leaked ?? .exactly(1)
    }

    /// Of a device between two tries; never none, since it would ask without end.
    private func pause(_ section: ScenarioSection, _ key: String) throws(ScenarioProblem) -> Duration? {
        try section.value(key, "a time from 10ms to 1h") { text in
            ScenarioValue.milliseconds(text).flatMap { (10...3_600_000).contains($0) ? .milliseconds($0) : nil }
        }
    }

    private func patience(_ section: ScenarioSection) throws(ScenarioProblem) -> Duration {
        let patience = try section.value("patience", "a time from 1s to 1h") { text in
            ScenarioValue.duration(text).flatMap {
                (.seconds(1)...RevocationStorm.patienceMax).contains($0) ? $0 : nil
            }
        }
        return patience ?? .seconds(60)
    }

    private func limits(_ top: ScenarioSection) throws(ScenarioProblem) -> StormLimits {
        var limits = StormLimits()
        guard let section = try top.section("limits", optional: Self.limits) else { return limits }
        limits.p50 = try stages(section, "p50")
        limits.p99 = try stages(section, "p99")
        limits.refused = try section.value("refused", ScenarioValue.shareForm, ScenarioValue.share) ?? 1
        limits.unaffected = try section.value("unaffected", ScenarioValue.shareForm, ScenarioValue.share) ?? 1
        limits.duration = try section.value("duration", ScenarioValue.durationForm, ScenarioValue.duration)
        return limits
    }

    private func stages(_ section: ScenarioSection, _ key: String) throws(ScenarioProblem) -> [StormStage: Int] {
        var stages: [StormStage: Int] = [:]
        for (word, values) in try section.words(key) {
            guard let stage = StormStage(rawValue: word) else {
                let known = StormStage.allCases.map(\.rawValue).joined(separator: ", ")
                throw values.problem(word, "is no stage; the stages are \(known)")
            }
            stages[stage] = try values.value(word, ScenarioValue.durationForm, ScenarioValue.milliseconds)
        }
        return stages
    }
}
