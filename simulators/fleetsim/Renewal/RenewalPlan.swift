/// All that is drawn for a fleet that renews, before it is played.
struct RenewalPlan: Hashable, DrawnPlan {
    /// What befalls one device.
    struct Unit: Hashable, Sendable {
        /// Counted from 1.
        let number: Int
        /// After the beginning.
        let begins: Duration
        /// How far its clock is ahead; behind if negative.
        let skew: Duration
        /// When it is switched off, after the beginning, and for how long; nil if it stays on.
        let offline: (at: Duration, length: Duration)?

        static func == (one: Unit, other: Unit) -> Bool {
            one.number == other.number && one.begins == other.begins && one.skew == other.skew
                && one.offline?.at == other.offline?.at && one.offline?.length == other.offline?.length
        }

        func hash(into hasher: inout Hasher) { hasher.combine(number) }
    }

    let renewal: Renewal
    let units: [Unit]

    init(_ renewal: Renewal) {
        self.renewal = renewal
        units = (1...max(renewal.devices, 1)).map { Self.unit($0, renewal) }
    }

    private static func unit(_ number: Int, _ renewal: Renewal) -> Unit {
        var draws = SeededDraws(seed: renewal.seed, purpose: "renewal/\(number)")
        // A fleet is not switched on in one moment.
        let begins = renewal.lifetime / 10 * draws.fraction()
        var skew = Duration.zero
        if let group = renewal.skew, draws.fraction() < group.share {
            let hours = draws.integer(in: group.hours)
            skew = renewal.real(hours: Double(draws.next() & 1 == 0 ? hours : -hours))
        }
        var offline: (at: Duration, length: Duration)?
        if let group = renewal.offline, draws.fraction() < group.share {
            let length = renewal.real(hours: Double(draws.integer(in: group.hours)))
            // It has its certificate by then, and is back before the end.
            let room = max(renewal.play - renewal.lifetime - begins - length, .zero)
            offline = (begins + renewal.lifetime / 4 + room * draws.fraction(), length)
        }
        return Unit(number: number, begins: begins, skew: skew, offline: offline)
    }

    /// When a device renews for the so manieth time: the share of the time that it thinks is left.
    func share(of number: Int, renewal count: Int) -> Double {
        var draws = SeededDraws(seed: renewal.seed, purpose: "renew/\(number)/\(count)")
        let range = renewal.renewAt
        return range.lowerBound + (range.upperBound - range.lowerBound) * draws.fraction()
    }

    /// The whole plan, a line for each device.
    /// - Parameter write: Called with each line, in order.
    func print(_ write: (String) -> Void) {
        guard let names = FleetSeed(value: renewal.seed, prefix: renewal.prefix) else { return }
        write("scenario \(renewal.name), seed \(renewal.seed), \(units.count) devices, a day is \(renewal.day)")
        for unit in units {
            var words = ["begins after \(Self.text(unit.begins))"]
            if unit.skew != .zero { words.append("clock ahead by \(Self.text(unit.skew))") }
            if let offline = unit.offline {
                words.append("off after \(Self.text(offline.at)) for \(Self.text(offline.length))")
            }
            write("  \(names.deviceID(unit.number))  \(words.joined(separator: "; "))")
        }
    }

    private static func text(_ duration: Duration) -> String { "\(Int(duration.milliseconds.rounded())) ms" }
}
