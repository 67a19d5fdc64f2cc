/// What `muster-sim run` plays of a fleet whose certificates live for days: devices renew, some with a wrong clock, some
/// are away until theirs has ended. A simulated day takes as long as the file says.
struct Renewal: Hashable, Sendable {
    static let devicesMax = 10_000
    /// The longest that is played, and the most renewals of one device in that time.
    static let playMax: Duration = .seconds(24 * 3600)
    static let renewalsMax = 10_000
    /// The shortest lifetime of a certificate, as the clock on the wall goes.
    static let lifetimeMin: Duration = .seconds(60)
    /// The fleet that is made if the file names none.
    static let fleetStandard = "renewal"

    /// Devices that something befalls, and for how long in simulated hours.
    struct Group: Hashable, Sendable {
        let share: Double
        let hours: ClosedRange<Int>
    }

    let name: String
    var seed: UInt64
    let fleet: String
    var prefix: String
    let key: DeviceKeyKind
    let retry: RetryPolicy
    var devices: Int
    /// How long a simulated day takes.
    let day: Duration
    /// How long is played, and how long certificates live, in simulated hours.
    let hours: Int
    let lifetimeHours: Int
    /// When devices renew: the share of the time to their certificate's end, as their clocks have it, each time drawn.
    let renewAt: ClosedRange<Double>
    /// Clocks that are ahead or behind.
    let skew: Group?
    /// Devices that are off once for so long.
    let offline: Group?
    /// Devices that enroll for the first time at once.
    let concurrency: Int
    let limits: RenewalLimits

    /// Simulated hours as the clock on the wall goes.
    func real(hours: Double) -> Duration { day * (hours / 24) }

    var lifetime: Duration { real(hours: Double(lifetimeHours)) }
    var play: Duration { real(hours: Double(hours)) }

    /// The same with every count divided.
    func part(_ divisor: Int) throws(ScenarioProblem) -> Renewal {
        var renewal = self
        renewal.devices = try Scenario.part(devices, divisor, "renewal.devices")
        return renewal
    }
}
