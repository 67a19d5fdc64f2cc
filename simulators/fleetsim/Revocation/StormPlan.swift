/// All that is drawn for a storm before it is played.
struct StormPlan: Hashable, DrawnPlan {
    let storm: RevocationStorm
    /// The numbers of the devices that came by the claim that leaked, in the order in which they are revoked.
    let leaked: [Int]

    init(_ storm: RevocationStorm) {
        self.storm = storm
        var draws = SeededDraws(seed: storm.seed, purpose: "leaked")
        var chosen = draws.choose(storm.leakedCount, of: storm.devices)
        // Fisher and Yates': an operator's list is in no order that the devices know.
        for last in chosen.indices.dropFirst().reversed() {
            chosen.swapAt(last, draws.integer(in: 0...last))
        }
        leaked = chosen
    }

    /// How long after the storm's beginning a device that is not revoked looks first, so that not all do at once.
    func firstLook(of number: Int) -> Duration {
        var draws = SeededDraws(seed: storm.seed, purpose: "look/\(number)")
        return storm.watch * draws.fraction()
    }

    /// The whole plan, a line for each device that is revoked.
    /// - Parameter write: Called with each line, in order.
    func print(_ write: (String) -> Void) {
        guard let names = FleetSeed(value: storm.seed, prefix: storm.prefix) else { return }
        write("scenario \(storm.name), seed \(storm.seed), \(storm.devices) devices, \(leaked.count) revoked")
        for number in leaked { write("  \(names.deviceID(number))") }
    }
}
