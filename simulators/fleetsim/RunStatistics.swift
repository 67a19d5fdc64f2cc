/// All that is counted while a fleet runs. Pure.
struct RunStatistics: Sendable {
    /// The most different reasons that are told apart; what comes after is counted together.
    static let reasonsMax = 64

    private(set) var devices = 0
    private(set) var outcomes: [String: Int] = [:]
    private(set) var reasons: [String: Int] = [:]
    private(set) var retries: [String: Int] = [:]
    private(set) var stages: [Stage: LatencyHistogram] = [:]
    private(set) var acknowledged = 0
    /// Certificates that devices hold, whatever came after.
    private(set) var held: [HeldCertificate] = []

    mutating func record(_ result: DeviceResult) {
        devices += 1
        outcomes[result.outcome.name, default: 0] += 1
        if let reason = result.outcome.reason { Self.count(reason, in: &reasons) }
        for reason in result.retries { Self.count(reason, in: &retries) }
        for (stage, duration) in result.times { stages[stage, default: LatencyHistogram()].record(duration) }
        if let certificate = result.certificate { held.append(certificate) }
        if result.acknowledgedVersion != nil { acknowledged += 1 }
    }

    /// Devices that did all they were to do.
    var succeeded: Int { outcomes[Outcome.enrolled.name] ?? 0 }

    private static func count(_ reason: String, in counts: inout [String: Int]) {
        let isRoom = counts[reason] != nil || counts.count < reasonsMax
        counts[isRoom ? reason : "other reasons", default: 0] += 1
    }
}
