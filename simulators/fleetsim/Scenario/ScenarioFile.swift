import EST
import Foundation
import Yams

/// Reads a scenario file. Nothing in it is passed over: what it does not know, it refuses.
struct ScenarioFile {
    static let octetsMax = 256 * 1024
    private static let top = (
        required: ["scenario", "seed", "phases", "limits"],
        optional: ["fleet", "prefix", "identity", "key", "retry"]
    )
    private static let phase = (
        required: ["name", "devices"],
        optional: ["identity", "key", "rate", "concurrency", "after", "storm", "faults"]
    )

    private let file: String

    /// What is in the file at `path`.
    static func read(_ path: String) throws(ScenarioProblem) -> ScenarioDocument {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ScenarioProblem(place: path, text: "cannot be read; give the path of a scenario file")
        }
        guard data.count <= octetsMax, let text = String(data: data, encoding: .utf8) else {
            throw ScenarioProblem(place: path, text: "must be UTF-8 text of at most \(octetsMax) octets")
        }
        let file = (path as NSString).lastPathComponent
        let root = try root(text, file: file)
        // One word decides what kind of file it is; all others are that kind's to know.
        let words = Set(root.mapping?.compactMap { $0.key.string } ?? [])
        if words.contains(RevocationStormReader.section) {
            return .revocation(try RevocationStormReader(file: file).storm(root))
        }
        if words.contains(RenewalReader.section) { return .renewal(try RenewalReader(file: file).renewal(root)) }
        return .phases(try ScenarioFile(file: file).scenario(root))
    }

    /// The scenario of that text; `file` is what problems call it.
    static func scenario(_ text: String, file: String) throws(ScenarioProblem) -> Scenario {
        try ScenarioFile(file: file).scenario(root(text, file: file))
    }

    /// The YAML of that text.
    static func root(_ text: String, file: String) throws(ScenarioProblem) -> Node {
        let root: Node?
        do { root = try Yams.compose(yaml: text) } catch { throw notYAML(error, file) }
        guard let root else { throw ScenarioProblem(place: "\(file):1", text: "the file is empty") }
        return root
    }

    private func scenario(_ root: Node) throws(ScenarioProblem) -> Scenario {
        let top = try ScenarioSection(
            root,
            name: "",
            file: file,
            required: Self.top.required,
            optional: Self.top.optional
        )
        let head = try ScenarioHead(top)
        let identity = try top.word("identity", IdentityKind.self) ?? .idevid
        var phases: [ScenarioPhase] = []
        for item in try top.list("phases", max: Scenario.phasesMax) {
            let phase = try phase(item.node, item.name, identity, head.key)
            if phases.contains(where: { $0.name == phase.name }) {
                throw ScenarioProblem(
                    place: "\(file):\(item.node.mark?.line ?? 1)",
                    text: "\(item.name).name is \(phase.name), as that of another phase; give each its own"
                )
            }
            phases.append(phase)
        }
        return try Scenario(
            name: head.name,
            seed: head.seed,
            fleet: head.fleet,
            prefix: head.prefix,
            retry: head.retry,
            phases: phases,
            limits: ScenarioLimitsReader.limits(top)
        )
    }

    private func phase(
        _ node: Node,
        _ name: String,
        _ identity: IdentityKind,
        _ key: DeviceKeyKind
    ) throws(ScenarioProblem) -> ScenarioPhase {
        let section = try ScenarioSection(
            node,
            name: name,
            file: file,
            required: Self.phase.required,
            optional: Self.phase.optional
        )
        let devices = try section.integer("devices", in: 1...Scenario.unitsMax) ?? 0
        try section.exclude("storm", "rate", "in a storm all devices ask at once; leave one of them out")
        try section.exclude("storm", "concurrency", "in a storm all devices ask at once; leave one of them out")
        let storm = try section.value("storm", ScenarioValue.durationForm, ScenarioValue.duration)
        if storm != nil, devices > EnrollCommand.concurrencyMax {
            throw section.problem("devices", "must be 1 to \(EnrollCommand.concurrencyMax) in a storm")
        }
        let rate = try section.value("rate", "above 0, and 100000 at most") { text in
            Double(text).flatMap { $0 > 0 && $0 <= 100_000 ? $0 : nil }
        }
        let bound = 1...EnrollCommand.concurrencyMax
        let usual = rate == nil && storm == nil ? 64 : EnrollCommand.concurrencyMax
        let name = try section.value("name", "1 to 40 of a-z, 0-9 and '-'") { ServerReason.isCode($0[...]) ? $0 : nil }
        var faults: [ScenarioFault] = []
        for item in try section.list("faults", max: Scenario.faultsMax) {
            faults.append(try ScenarioFaultReader.fault(item.node, item.name, file: file, devices: devices))
        }
        return try ScenarioPhase(
            name: name ?? "",
            devices: devices,
            identity: section.word("identity", IdentityKind.self) ?? identity,
            key: section.word("key", DeviceKeyKind.self) ?? key,
            rate: rate,
            concurrency: section.integer("concurrency", in: bound) ?? usual,
            after: section.value("after", ScenarioValue.durationForm, ScenarioValue.duration) ?? .zero,
            storm: storm,
            faults: faults
        )
    }

    private static func notYAML(_ error: any Error, _ file: String) -> ScenarioProblem {
        switch error {
        case YamlError.duplicatedKeysInMapping(let names, let context):
            let name = names.first ?? "a key"
            return ScenarioProblem(
                place: "\(file):\(context.mark.line)",
                text: "\(name) is set again further down in the same section; keep one"
            )
        case YamlError.scanner(_, let problem, let mark, _), YamlError.parser(_, let problem, let mark, _),
            YamlError.composer(_, let problem, let mark, _):
            return ScenarioProblem(
                place: "\(file):\(mark.line)",
                text: "is not YAML here: \(problem); look at the indentation and colons of this line and the one before"
            )
        default:
            return ScenarioProblem(place: file, text: "is not YAML")
        }
    }
}

/// The values of scenario files.
enum ScenarioValue {
    static let durationForm = "a time like 500ms, 2s, 5m or 1h, at most 24h"
    static let shareForm = "a share like 5% or 0.5%, at most 100%"

    static func duration(_ text: String) -> Duration? { milliseconds(text).map { .milliseconds($0) } }

    static func milliseconds(_ text: String) -> Int? {
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)]
        guard let (unit, factor) = units.first(where: { text.hasSuffix($0.0) }),
            let count = Int(text.dropLast(unit.count)), (0...86_400_000).contains(count), !text.hasPrefix("+")
        else { return nil }
        let all = count * factor
        return all <= 86_400_000 ? all : nil
    }

    /// `2y` or `30d`, in days.
    static func days(_ text: String) -> Int? {
        guard let unit = text.last, let count = Int(text.dropLast()), (0...100_000).contains(count) else { return nil }
        switch unit {
        case "d": return count
        case "y": return count * 365
        default: return nil
        }
    }

    static func share(_ text: String) -> Double? {
        guard text.hasSuffix("%"), let percent = Double(text.dropLast()), (0...100).contains(percent) else {
            return nil
        }
        return percent / 100
    }

    /// `1970-01-01`, in seconds since 1970.
    static func date(_ text: String) -> Int? {
        guard let date = try? Date(text + "T00:00:00Z", strategy: .iso8601) else { return nil }
        return Int(date.timeIntervalSince1970)
    }
}
