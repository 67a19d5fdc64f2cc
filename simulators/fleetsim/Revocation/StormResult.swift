/// What became of one device.
struct StormResult: Sendable {
    let deviceID: String
    /// True if it came by the claim that leaked.
    let isLeaked: Bool
    /// It was connected when the storm began.
    var isReady = false
    /// When the operator's request was on its way; nil if there was none.
    var revokedAt: ContinuousClock.Instant?
    /// It was served throughout.
    var isServed = false
    /// Certificates that it was given after it had been revoked.
    var renewedAfterwards = 0
    /// All that it met.
    var moments: [StormMoment] = []
    /// What was not as it should be, in words that are counted.
    var problem: String?

    /// True if each of these refused it.
    func isRefused(at stages: [StormStage]) -> Bool {
        let met = Set(moments.map(\.stage))
        return stages.allSatisfy(met.contains)
    }

    mutating func take(_ finding: StormFinding) {
        if finding.stage == .renewal { renewedAfterwards += finding.served }
        if let at = finding.at, let revokedAt {
            // The request's way to the server is part of the time, so that none is shorter than it was.
            moments.append(StormMoment(stage: finding.stage, at: at, took: max(at - revokedAt, .zero)))
        } else {
            problem = "not \(finding.stage.title): \(finding.problem ?? "no answer")"
        }
    }
}

/// Something that a device met.
struct StormMoment: Sendable {
    let stage: StormStage
    let at: ContinuousClock.Instant
    let took: Duration
}

/// What a revoked device found at one door.
struct StormFinding: Sendable {
    let stage: StormStage
    /// When it was refused; nil if it never was.
    var at: ContinuousClock.Instant?
    /// How often it was served before.
    var served = 0
    var problem: String?

    init(stage: StormStage, at: ContinuousClock.Instant?, problem: String?) {
        self.stage = stage
        self.at = at
        self.problem = at == nil ? problem : nil
    }
}
