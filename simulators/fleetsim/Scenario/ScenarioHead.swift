import EST

/// What scenario files of every kind begin with.
struct ScenarioHead {
    let name: String
    let seed: UInt64
    let fleet: String?
    let prefix: String
    let key: DeviceKeyKind
    let retry: RetryPolicy

    init(_ top: ScenarioSection) throws(ScenarioProblem) {
        let code = "1 to 40 of a-z, 0-9 and '-'"
        name = try top.value("scenario", code) { ServerReason.isCode($0[...]) ? $0 : nil } ?? ""
        seed = try top.value("seed", "a whole number from 0") { UInt64($0) } ?? 0
        fleet = try top.value("fleet", "a fleet's name") { ESTLabel($0) == nil ? nil : $0 }
        let form = "1 to \(FleetSeed.prefixLengthMax) of A-Z, a-z, 0-9, '.', '_' and '-'"
        let given = try top.value("prefix", form) { FleetSeed(value: 0, prefix: $0) == nil ? nil : $0 }
        prefix = given ?? FleetSeed.prefixDefault
        key = try top.word("key", DeviceKeyKind.self) ?? .p256
        retry = try Self.retry(top)
    }

    private static func retry(_ top: ScenarioSection) throws(ScenarioProblem) -> RetryPolicy {
        var policy = RetryPolicy()
        guard let section = try top.section("retry", optional: ["max", "wait", "waitMax", "jitter"]) else {
            return policy
        }
        if let most = try section.integer("max", in: 0...RetryPolicy.retriesBound) { policy.retriesMax = most }
        if let wait = try section.value("wait", ScenarioValue.durationForm, ScenarioValue.duration) {
            policy.reconnectWait = wait
        }
        if let most = try section.value("waitMax", ScenarioValue.durationForm, ScenarioValue.duration) {
            policy.waitMax = most
        }
        if let jitter = try section.value("jitter", ScenarioValue.shareForm, ScenarioValue.share) {
            policy.jitter = jitter
        }
        return policy
    }
}
