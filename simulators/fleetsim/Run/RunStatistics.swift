/// All that is counted while a fleet runs. Pure.
struct RunStatistics: Sendable {
    /// The most different reasons that are told apart; what comes after is counted together.
    static let reasonsMax = 64

    private(set) var devices = 0
    private(set) var outcomes: [String: Int] = [:]
    private(set) var reasons: [String: Int] = [:]
    private(set) var retries: [String: Int] = [:]
    /// By `Outcome.code`.
    private(set) var codes: [String: Int] = [:]
    /// The same for the devices of each claim.
    private(set) var codesOfClaims: [Int: [String: Int]] = [:]
    private(set) var stages: [Stage: LatencyHistogram] = [:]
    private(set) var acknowledged = 0
    private(set) var played: [FaultName: Int] = [:]
    /// Of the device with the most.
    private(set) var retriesMost = 0
    /// Devices that waited for a server that was away, to come back together.
    private(set) var waitedForServer = 0
    /// Devices that were given two certificates for one key.
    private(set) var changed = 0
    /// Devices that came to their end, by `Outcome.code`.
    private(set) var timeline = Timeline()
    /// Certificates that devices hold, whatever came after.
    private(set) var held: [HeldCertificate] = []

    /// Counts a device that has come to its end.
    /// - Parameter time: Since the run's beginning; nil if nobody asks when.
    mutating func record(_ ended: DeviceResult, at time: Duration? = nil) {
        var result = ended
        take(&result)
        devices += 1
        if let time { timeline.note(result.outcome.code, at: time) }
        outcomes[result.outcome.name, default: 0] += 1
        Self.count(result.outcome.code, in: &codes)
        if let claim = result.claim { Self.count(result.outcome.code, in: &codesOfClaims[claim, default: [:]]) }
        if let reason = result.outcome.reason { Self.count(reason, in: &reasons) }
        if let certificate = result.certificate { held.append(certificate) }
        if result.acknowledgedVersion != nil { acknowledged += 1 }
        for fault in result.played { played[fault, default: 0] += 1 }
        if result.waitedForServer { waitedForServer += 1 }
        if result.isChanged { changed += 1 }
    }

    /// Adds what another run counted, which began so long after this one.
    mutating func add(_ other: RunStatistics, after offset: Duration = .zero) {
        timeline.add(other.timeline, after: offset)
        devices += other.devices
        outcomes.merge(other.outcomes, uniquingKeysWith: +)
        reasons.merge(other.reasons, uniquingKeysWith: +)
        retries.merge(other.retries, uniquingKeysWith: +)
        codes.merge(other.codes, uniquingKeysWith: +)
        for (claim, counts) in other.codesOfClaims {
            codesOfClaims[claim, default: [:]].merge(counts, uniquingKeysWith: +)
        }
        for (stage, histogram) in other.stages { stages[stage, default: LatencyHistogram()].add(histogram) }
        acknowledged += other.acknowledged
        held += other.held
        played.merge(other.played, uniquingKeysWith: +)
        retriesMost = max(retriesMost, other.retriesMost)
        waitedForServer += other.waitedForServer
        changed += other.changed
    }

    /// Counts what a device has met so far, and takes it from the device, which may ask for days.
    mutating func take(_ result: inout DeviceResult) {
        retriesMost = max(retriesMost, result.retries.count)
        for reason in result.retries { Self.count(reason, in: &retries) }
        for (stage, duration) in result.times { stages[stage, default: LatencyHistogram()].record(duration) }
        result.retries = []
        result.times = []
    }

    /// Devices that did all they were to do.
    var succeeded: Int { outcomes[Outcome.enrolled.name] ?? 0 }

    private static func count(_ reason: String, in counts: inout [String: Int]) {
        let isRoom = counts[reason] != nil || counts.count < reasonsMax
        counts[isRoom ? reason : "other reasons", default: 0] += 1
    }
}
