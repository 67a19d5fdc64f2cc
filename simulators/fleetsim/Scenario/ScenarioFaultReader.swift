import Yams

/// Reads one fault of a phase.
enum ScenarioFaultReader {
    /// How often one device may have a fault in a row.
    private static let timesBound = 1...5
    /// The octets on the wire of one exchange; more are never sent.
    private static let octetsBound = 0...65_536
    /// As slow as leaves an exchange a chance within its time, and as fast as no link that this plays.
    private static let paceBound = 500...10_000_000

    /// - Parameter devices: Of the phase.
    static func fault(
        _ node: Node,
        _ name: String,
        file: String,
        devices: Int
    ) throws(ScenarioProblem) -> ScenarioFault {
        let kind = try kind(node, name, file)
        let who = kind == .clone ? ["copies"] : ["share", "devices"]
        let section = try ScenarioSection(
            node,
            name: name,
            file: file,
            required: ["fault"],
            optional: who + keys(kind)
        )
        return try ScenarioFault(who: self.who(kind, section, devices), fault: fault(kind, section))
    }

    private static func kind(_ node: Node, _ name: String, _ file: String) throws(ScenarioProblem) -> FaultName {
        let all = FaultName.allCases.flatMap { keys($0) } + ["share", "devices", "copies"]
        var seen: [String] = []
        for key in all where !seen.contains(key) { seen.append(key) }
        // Every key of every fault, since the fault says which of them are its own.
        let section = try ScenarioSection(node, name: name, file: file, required: ["fault"], optional: seen)
        guard let kind = try section.word("fault", FaultName.self) else {
            throw section.problem("fault", "is missing")
        }
        return kind
    }

    private static func keys(_ kind: FaultName) -> [String] {
        switch kind {
        case .lostAnswer: ["times", "delay"]
        case .reset: ["times", "octets", "direction", "exchange"]
        case .slowLink: ["octetsPerSecond", "latency"]
        case .clock: ["at", "ahead"]
        case .powerCut: ["times", "moment", "delay", "off"]
        case .duplicate: []
        case .clone: ["with"]
        }
    }

    private static func who(
        _ kind: FaultName,
        _ section: ScenarioSection,
        _ devices: Int
    ) throws(ScenarioProblem) -> ScenarioFault.Who {
        if kind == .clone {
            guard let copies = try section.integer("copies", in: 1...Scenario.unitsMax) else {
                throw section.problem("fault", "is clone, which needs copies: how many of one device")
            }
            return .exactly(copies)
        }
        try section.exclude("share", "devices", "a fault has a probability or an exact count; leave one of them out")
        if let share = try section.value("share", ScenarioValue.shareForm, ScenarioValue.share) {
            return .share(share)
        }
        guard let count = try section.integer("devices", in: 1...devices) else {
            throw section.problem("fault", "is \(kind.rawValue), which needs share: 5%, or devices: 20")
        }
        return .exactly(count)
    }

    private static func fault(_ kind: FaultName, _ section: ScenarioSection) throws(ScenarioProblem) -> Fault {
        let times = try section.range("times", "1 to 5", in: timesBound) { Int($0) } ?? 1...1
        switch kind {
        case .lostAnswer:
            return try .lostAnswer(times: times, delayMilliseconds: time("delay", section) ?? 0...200)
        case .reset:
            return try .reset(
                times: times,
                octets: section.range("octets", "0 to 65536", in: octetsBound) { Int($0) } ?? 0...3000,
                direction: section.word("direction", Fault.Direction.self) ?? .either,
                exchange: section.word("exchange", Fault.Exchange.self) ?? .either
            )
        case .slowLink:
            let pace = try section.range("octetsPerSecond", "500 to 10000000", in: paceBound) { Int($0) }
            guard let pace else { throw section.problem("fault", "is slow-link, which needs octetsPerSecond") }
            return try .slowLink(octetsPerSecond: pace, latencyMilliseconds: time("latency", section) ?? 0...0)
        case .clock:
            try section.exclude("at", "ahead", "a clock is at a date or ahead by a time; leave one of them out")
            if let date = try section.value("at", "a date like 1970-01-01", ScenarioValue.date) {
                return .clock(.at(date))
            }
            let form = "a time like 30d or 10y"
            guard let ahead = try section.range("ahead", form, in: 1...36_500, ScenarioValue.days) else {
                throw section.problem("fault", "is clock, which needs at: 1970-01-01, or ahead: 10y")
            }
            return .clock(.ahead(days: ahead))
        case .powerCut:
            return try .powerCut(
                times: times,
                moment: section.word("moment", Fault.PowerMoment.self) ?? .request,
                delayMilliseconds: time("delay", section) ?? 0...200,
                off: time("off", section) ?? 1000...3000
            )
        case .duplicate:
            return .duplicate
        case .clone:
            let copied = try section.word("with", CloneContent.self) ?? .credential
            return .clone(withKey: copied == .everything)
        }
    }

    /// What the clones of a device have of it.
    private enum CloneContent: String, CaseIterable { case credential, everything }

    private static func time(_ key: String, _ section: ScenarioSection) throws(ScenarioProblem) -> ClosedRange<Int>? {
        try section.range(key, "a time like 200ms or 3s, at most 1h", in: 0...3_600_000, ScenarioValue.milliseconds)
    }
}

/// Reads the limits.
enum ScenarioLimitsReader {
    private static let countBound = 0...Scenario.unitsMax

    static func limits(_ top: ScenarioSection) throws(ScenarioProblem) -> ScenarioLimits {
        let keys = [
            "outcomes", "enrolled", "played", "p50", "p99", "retries", "duration", "certificatesPerKey", "missing",
        ]
        guard let section = try top.section("limits", optional: keys) else {
            throw top.problem("limits", "is missing")
        }
        var limits = ScenarioLimits(played: [:], p50: [:], p99: [:])
        if section.has("outcomes") {
            var outcomes: [String: Int] = [:]
            for (word, counts) in try section.words("outcomes") {
                guard ServerReason.isCode(word[...]) else {
                    throw counts.problem(word, "is not the word of an outcome")
                }
                outcomes[word] = try counts.integer(word, in: countBound)
            }
            limits.outcomes = outcomes
        }
        limits.enrolled = try section.value("enrolled", ScenarioValue.shareForm, ScenarioValue.share)
        guard limits.outcomes != nil || limits.enrolled != nil else {
            throw top.problem(
                "limits",
                "must have outcomes or enrolled, without which nothing says that devices enroll"
            )
        }
        for (word, counts) in try section.words("played") {
            guard let fault = FaultName(rawValue: word) else {
                let all = FaultName.allCases.map(\.rawValue).joined(separator: ", ")
                throw counts.problem(word, "is not a fault; the faults are \(all)")
            }
            limits.played[fault] = try counts.integer(word, in: countBound)
        }
        limits.p50 = try percentiles("p50", section)
        limits.p99 = try percentiles("p99", section)
        limits.retries = try section.integer("retries", in: 0...RetryPolicy.retriesBound)
        limits.duration = try section.value("duration", ScenarioValue.durationForm, ScenarioValue.duration)
        limits.certificatesPerKey = try section.integer("certificatesPerKey", in: 1...100) ?? 1
        limits.missing = try section.integer("missing", in: countBound) ?? 0
        return limits
    }

    private static func percentiles(
        _ key: String,
        _ section: ScenarioSection
    ) throws(ScenarioProblem) -> [Stage: Int] {
        var limits: [Stage: Int] = [:]
        for (word, values) in try section.words(key) {
            guard let stage = Stage.allCases.first(where: { $0.word == word }) else {
                let all = Stage.allCases.map(\.word).joined(separator: ", ")
                throw values.problem(word, "is not a stage; the stages are \(all)")
            }
            limits[stage] = try values.value(word, ScenarioValue.durationForm, ScenarioValue.milliseconds)
        }
        return limits
    }
}
