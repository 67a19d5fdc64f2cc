/// What `muster-sim run` plays: phases of devices with their faults, and the limits that decide whether it passed.
struct Scenario: Hashable, Sendable {
    /// The most phases, faults of a phase, and units (devices and their copies) of a scenario.
    static let phasesMax = 32
    static let faultsMax = 16
    static let unitsMax = 1_000_000
    /// The longest of all durations in a file.
    static let durationMax: Duration = .seconds(24 * 3600)

    let name: String
    var seed: UInt64
    /// The EST label; dev.json's fleet if nil.
    let fleet: String?
    /// What DeviceIDs begin with.
    var prefix: String
    let retry: RetryPolicy
    var phases: [ScenarioPhase]
    var limits: ScenarioLimits

    /// The same with every count divided, so that a large scenario can be tried in small. Shares, rates and times stay.
    /// - Throws: `ScenarioProblem` for a count that does not divide without remainder.
    func part(_ divisor: Int) throws(ScenarioProblem) -> Scenario {
        var scenario = self
        for index in scenario.phases.indices {
            scenario.phases[index] = try scenario.phases[index].part(divisor)
        }
        scenario.limits = try limits.part(divisor)
        return scenario
    }

    /// `count` divided by `divisor`.
    static func part(_ count: Int, _ divisor: Int, _ what: String) throws(ScenarioProblem) -> Int {
        guard divisor > 0, count.isMultiple(of: divisor) else {
            throw ScenarioProblem(
                place: nil,
                text: "\(what) is \(count), of which there is no 1/\(divisor); give a --part that divides it"
            )
        }
        return count / divisor
    }
}

/// Devices that are switched on together.
struct ScenarioPhase: Hashable, Sendable {
    let name: String
    var devices: Int
    let identity: IdentityKind
    let key: DeviceKeyKind
    /// Devices that begin in a second; nil as fast as they go.
    let rate: Double?
    /// Devices that are on their way at once.
    let concurrency: Int
    /// How long nothing happens before it.
    let after: Duration
    /// How long devices wait for a server that is away; when it is back, all of them ask at the same moment. Nil if they
    /// only try again as `retry` says.
    let storm: Duration?
    var faults: [ScenarioFault]

    fileprivate func part(_ divisor: Int) throws(ScenarioProblem) -> ScenarioPhase {
        var phase = self
        phase.devices = try Scenario.part(devices, divisor, "phases.\(name).devices")
        for index in phase.faults.indices {
            phase.faults[index] = try phase.faults[index].part(divisor, "phases.\(name).faults.\(index)")
        }
        return phase
    }
}

/// A fault, and who has it.
struct ScenarioFault: Hashable, Sendable {
    enum Who: Hashable, Sendable {
        /// Each device of the phase with this probability.
        case share(Double)
        /// So many devices of the phase; of clones, so many copies of one device.
        case exactly(Int)
    }

    var who: Who
    let fault: Fault

    fileprivate func part(_ divisor: Int, _ what: String) throws(ScenarioProblem) -> ScenarioFault {
        guard case .exactly(let count) = who else { return self }
        return try ScenarioFault(who: .exactly(Scenario.part(count, divisor, what)), fault: fault)
    }
}

/// What goes wrong. Ranges are drawn from, each device for itself.
enum Fault: Hashable, Sendable {
    /// The request is sent whole, then the connection is cut before anything of the answer is read.
    case lostAnswer(times: ClosedRange<Int>, delayMilliseconds: ClosedRange<Int>)
    /// The connection is reset after so many octets on the wire, those of the TLS handshake among them.
    case reset(times: ClosedRange<Int>, octets: ClosedRange<Int>, direction: Direction, exchange: Exchange)
    /// Octets trickle, in both directions.
    case slowLink(octetsPerSecond: ClosedRange<Int>, latencyMilliseconds: ClosedRange<Int>)
    case clock(ClockFault)
    /// Power fails with the request on its way, and the device begins anew with the same key.
    case powerCut(
        times: ClosedRange<Int>,
        moment: PowerMoment,
        delayMilliseconds: ClosedRange<Int>,
        off: ClosedRange<Int>
    )
    /// A second unit with the same DeviceID, a credential of its own (a claim is shared) and another key.
    case duplicate
    /// Units with the DeviceID and the very credential of one device, and its operational key too if `withKey`.
    case clone(withKey: Bool)

    enum Direction: String, CaseIterable, Sendable { case sent, received, either }
    enum Exchange: String, CaseIterable, Sendable { case cacerts, enroll, either }
    enum PowerMoment: String, CaseIterable, Sendable {
        /// The request is sent.
        case request
        /// The answer is there, and not kept yet.
        case answer
        case either
    }

    /// Its name in files and reports.
    var name: FaultName {
        switch self {
        case .lostAnswer: .lostAnswer
        case .reset: .reset
        case .slowLink: .slowLink
        case .clock: .clock
        case .powerCut: .powerCut
        case .duplicate: .duplicate
        case .clone: .clone
        }
    }
}

/// The faults by name.
enum FaultName: String, CaseIterable, Codable, Sendable {
    case lostAnswer = "lost-answer"
    case reset
    case slowLink = "slow-link"
    case clock
    case powerCut = "power-cut"
    case duplicate
    case clone
}

/// How a device's clock is wrong when it is switched on.
enum ClockFault: Hashable, Sendable {
    /// It shows this time, in seconds since 1970, and goes on from there.
    case at(Int)
    /// It is ahead by so many days.
    case ahead(days: ClosedRange<Int>)
}
