/// What one unit plays: a device, or a copy of one.
struct UnitPlan: Hashable, Sendable {
    enum Copy: Hashable, Sendable {
        case original
        /// Another unit with the DeviceID, with a credential and a key of its own.
        case duplicate
        /// A unit with the device's very credential, and its operational key too if `withKey`.
        case clone(withKey: Bool)
    }

    /// Counted from 1 through all phases.
    let number: Int
    /// Whose DeviceID it has.
    let deviceNumber: Int
    let copy: Copy
    /// True if clones are made of it, with its key too or without.
    var isCloned = false
    var isClonedWithKey = false
    /// How connections end, in the order in which they are made; later ones are left alone.
    private(set) var cacertsCuts: [PlannedCut] = []
    private(set) var enrollCuts: [PlannedCut] = []
    private(set) var link: SlowLink?
    private(set) var clock: DeviceClock.Fault?

    init(number: Int, deviceNumber: Int, copy: Copy) {
        self.number = number
        self.deviceNumber = deviceNumber
        self.copy = copy
    }

    /// True if its credential is that of other units too.
    var sharesCredential: Bool {
        if case .clone = copy { return true }
        return isCloned
    }

    /// True if its operational key is that of other units too.
    var sharesKey: Bool { copy == .clone(withKey: true) || isClonedWithKey }

    /// The faults that are there from the beginning.
    var lasting: [FaultName] {
        var faults: [FaultName] = []
        switch copy {
        case .original: break
        case .duplicate: faults.append(.duplicate)
        case .clone: faults.append(.clone)
        }
        if link != nil { faults.append(.slowLink) }
        if clock != nil { faults.append(.clock) }
        return faults
    }

    /// What ends connection `count` of a stage, counted from 1.
    func cut(_ stage: Stage, connection count: Int) -> PlannedCut? {
        let cuts = stage == .cacerts ? cacertsCuts : enrollCuts
        return cuts.indices.contains(count - 1) ? cuts[count - 1] : nil
    }

    /// Draws what the fault is for this unit.
    mutating func take(_ fault: Fault, _ draws: inout SeededDraws) {
        switch fault {
        case .lostAnswer(let times, let delay):
            for _ in 0..<draws.integer(in: times) {
                let delay = draws.integer(in: delay)
                enrollCuts.append(PlannedCut(fault: .lostAnswer, moment: .requestSent(thenMilliseconds: delay)))
            }
        case .reset(let times, let octets, let direction, let exchange):
            for _ in 0..<draws.integer(in: times) {
                let count = draws.integer(in: octets)
                let isSent = draws.next() & 1 == 0
                let isCacerts = draws.next() & 1 == 0
                let moment: CutMoment =
                    direction == .sent || direction == .either && isSent
                    ? .sent(octets: count) : .received(octets: count)
                let cut = PlannedCut(fault: .reset, moment: moment)
                if exchange == .cacerts || exchange == .either && isCacerts {
                    cacertsCuts.append(cut)
                } else {
                    enrollCuts.append(cut)
                }
            }
        case .slowLink(let pace, let latency):
            link = SlowLink(
                octetsPerSecond: draws.integer(in: pace),
                latencyMilliseconds: draws.integer(in: latency)
            )
        case .clock(.at(let seconds)): clock = .at(seconds: seconds)
        case .clock(.ahead(let days)): clock = .ahead(days: draws.integer(in: days))
        case .powerCut(let times, let moment, let delay, let off):
            for _ in 0..<draws.integer(in: times) {
                let delay = draws.integer(in: delay)
                let isAnswer = draws.next() & 1 == 0
                let atAnswer = moment == .answer || moment == .either && isAnswer
                enrollCuts.append(
                    PlannedCut(
                        fault: .powerCut,
                        moment: atAnswer ? .answerHeard : .requestSent(thenMilliseconds: delay),
                        offMilliseconds: draws.integer(in: off)
                    )
                )
            }
        // Copies are units of their own.
        case .duplicate, .clone: break
        }
    }

    /// Behind the name, in the printed plan.
    var text: String {
        var words: [String] = []
        switch copy {
        case .original: break
        case .duplicate: words.append("duplicate")
        case .clone(let withKey): words.append(withKey ? "clone with key" : "clone")
        }
        if let link { words.append("\(FaultName.slowLink.rawValue) \(link.text)") }
        if let clock { words.append("\(FaultName.clock.rawValue) \(clock.text)") }
        words += cacertsCuts.enumerated().map { "cacerts \($0.offset + 1): \($0.element.text)" }
        words += enrollCuts.enumerated().map { "enroll \($0.offset + 1): \($0.element.text)" }
        return words.isEmpty ? "" : "  " + words.joined(separator: "; ")
    }
}

/// How one connection ends.
struct PlannedCut: Hashable, Sendable {
    let fault: FaultName
    let moment: CutMoment
    /// How long the device is without power after it; nil if it stays on.
    var offMilliseconds: Int?

    var text: String {
        "\(fault.rawValue) \(moment.text)" + (offMilliseconds.map { ", off \($0) ms" } ?? "")
    }
}
