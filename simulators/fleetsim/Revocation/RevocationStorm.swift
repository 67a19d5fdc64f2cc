/// What `muster-sim run` plays when a claim certificate has leaked: all devices are connected, those that came by that
/// claim are revoked one after the other, and everybody tells whether he is served.
struct RevocationStorm: Hashable, Sendable {
    /// The most devices; each has a connection and a task.
    static let devicesMax = 10_000
    static let operatorsMax = 32
    static let concurrencyMax = 1000
    /// The longest time that a device waits for a refusal.
    static let patienceMax: Duration = .seconds(3600)

    /// How many devices came by the claim that leaked.
    enum Leaked: Hashable, Sendable {
        /// That part of all, rounded to whole devices.
        case share(Double)
        case exactly(Int)
    }

    let name: String
    var seed: UInt64
    /// The EST label; dev.json's fleet if nil.
    let fleet: String?
    /// What DeviceIDs begin with.
    var prefix: String
    let key: DeviceKeyKind
    let retry: RetryPolicy
    var devices: Int
    var leaked: Leaked
    /// Devices that enroll, connect or renew at once.
    let concurrency: Int
    /// Revocations under way at once.
    let operators: Int
    /// How often a device that is not revoked sees whether it is served.
    let watch: Duration
    /// After so long a revoked device tries again what it was not refused yet.
    let probe: Duration
    /// How long it does.
    let patience: Duration
    /// A gateway of the fleet, `https://host:port`; nil if there is none.
    var gateway: String?
    let limits: StormLimits

    /// Whole devices.
    var leakedCount: Int {
        switch leaked {
        case .share(let share): min(devices, Int((Double(devices) * share).rounded()))
        case .exactly(let count): count
        }
    }

    /// The same with every count divided.
    /// - Throws: `ScenarioProblem` for a count that does not divide without remainder.
    func part(_ divisor: Int) throws(ScenarioProblem) -> RevocationStorm {
        var storm = self
        storm.devices = try Scenario.part(devices, divisor, "revocation.devices")
        if case .exactly(let count) = leaked {
            storm.leaked = .exactly(try Scenario.part(count, divisor, "revocation.leaked"))
        }
        return storm
    }
}

/// What is measured of devices in a storm.
enum StormStage: String, CaseIterable, Codable, Sendable {
    // Of a revoked device, from the operator's request on.
    /// The broker has ended its session.
    case session
    /// The broker takes its certificate no more.
    case reconnect
    /// simplereenroll is refused with 403.
    case renewal
    /// The gateway refuses it.
    case gateway
    // Of the others, from asking to the answer.
    /// A message goes to the broker and comes back.
    case message
    /// simplereenroll gives a certificate.
    case renewed
    /// The gateway answers.
    case admitted

    /// Those that refuse.
    static let refusals: [StormStage] = [.session, .reconnect, .renewal, .gateway]
    static let services: [StormStage] = [.message, .renewed, .admitted]

    /// In the report.
    var title: String {
        switch self {
        case .session: "session closed"
        case .reconnect: "reconnection refused"
        case .renewal: "renewal refused"
        case .gateway: "gateway refused"
        case .message: "message heard"
        case .renewed: "renewed"
        case .admitted: "gateway answered"
        }
    }
}
