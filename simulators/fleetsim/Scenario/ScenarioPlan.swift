/// All that is drawn for a scenario before anything is played: which device has which fault, at which octet, for how
/// long. The same scenario and seed give the same plan, whatever the machine and however fast its server is.
struct ScenarioPlan: Hashable, DrawnPlan {
    struct Phase: Hashable, Sendable {
        let phase: ScenarioPhase
        /// In the order in which they are switched on.
        let units: [UnitPlan]
    }

    let scenario: Scenario
    let phases: [Phase]

    var units: Int { phases.reduce(0) { $0 + $1.units.count } }

    /// - Throws: `ScenarioProblem` if there would be too many units.
    init(_ scenario: Scenario) throws(ScenarioProblem) {
        self.scenario = scenario
        var phases: [Phase] = []
        var unit = 0
        var device = 0
        for phase in scenario.phases {
            let units = try Self.units(phase, seed: scenario.seed, firstUnit: unit + 1, firstDevice: device + 1)
            unit += units.count
            device += phase.devices
            phases.append(Phase(phase: phase, units: units))
            guard unit <= Scenario.unitsMax else {
                throw ScenarioProblem(
                    place: nil,
                    text: "the scenario has more than \(Scenario.unitsMax) devices and copies; divide it with --part"
                )
            }
        }
        self.phases = phases
    }

    /// The whole plan, a line for each unit.
    /// - Parameter write: Called with each line, in order.
    func print(_ write: (String) -> Void) {
        guard let names = FleetSeed(value: scenario.seed, prefix: scenario.prefix) else { return }
        write("scenario \(scenario.name), seed \(scenario.seed), \(units) units")
        for phase in phases {
            write("phase \(phase.phase.name), \(phase.units.count) units")
            for unit in phase.units { write("  \(unit.number)  \(names.deviceID(unit.deviceNumber))\(unit.text)") }
        }
    }

    private static func units(
        _ phase: ScenarioPhase,
        seed: UInt64,
        firstUnit: Int,
        firstDevice: Int
    ) throws(ScenarioProblem) -> [UnitPlan] {
        var copies: [Int: [UnitPlan.Copy]] = [:]
        var afflictions: [[Int]] = []
        for (index, item) in phase.faults.enumerated() {
            var chosen = try chosen(item, phase, index, seed, free: phase.devices - copies.count)
            switch (item.fault, item.who) {
            case (.duplicate, _):
                chosen = skipping(copies.keys, in: chosen, phase)
                for place in chosen { copies[place] = [.duplicate] }
                afflictions.append([])
            case (.clone(let withKey), .exactly(let count)):
                chosen = skipping(copies.keys, in: chosen, phase)
                for place in chosen { copies[place] = Array(repeating: .clone(withKey: withKey), count: count) }
                afflictions.append([])
            default: afflictions.append(chosen)
            }
        }
        var next = [Int](repeating: 0, count: afflictions.count)
        var units: [UnitPlan] = []
        for place in 1...max(phase.devices, 1) {
            var unit = UnitPlan(number: firstUnit + units.count, deviceNumber: firstDevice + place - 1, copy: .original)
            for index in afflictions.indices
            where next[index] < afflictions[index].count && afflictions[index][next[index]] == place {
                next[index] += 1
                var draws = SeededDraws(seed: seed, purpose: "\(phase.name)/\(index)/\(place)")
                unit.take(phase.faults[index].fault, &draws)
            }
            unit.isCloned = copies[place]?.contains { $0 != .duplicate } ?? false
            unit.isClonedWithKey = copies[place]?.contains(.clone(withKey: true)) ?? false
            units.append(unit)
            for copy in copies[place] ?? [] {
                units.append(
                    UnitPlan(number: firstUnit + units.count, deviceNumber: firstDevice + place - 1, copy: copy)
                )
            }
        }
        return units
    }

    /// The places, from 1 and rising, of the devices that have the fault. Copies are of `free` devices only: one device
    /// has copies of one kind.
    private static func chosen(
        _ item: ScenarioFault,
        _ phase: ScenarioPhase,
        _ index: Int,
        _ seed: UInt64,
        free: Int
    ) throws(ScenarioProblem) -> [Int] {
        var draws = SeededDraws(seed: seed, purpose: "\(phase.name)/\(index)")
        let isCopy = item.fault.name == .duplicate || item.fault.name == .clone
        let devices = isCopy ? free : phase.devices
        let count: Int
        switch (item.fault, item.who) {
        case (.clone, _): count = 1
        case (_, .exactly(let exact)): count = exact
        case (_, .share(let share)): return (0..<devices).map { $0 + 1 }.filter { _ in draws.fraction() < share }
        }
        guard count <= devices else {
            throw ScenarioProblem(
                place: nil,
                text: "phases.\(phase.name): \(item.fault.name.rawValue) is to befall \(count) devices, and \(devices) "
                    + "are left that have no copies yet; give the phase more devices"
            )
        }
        return draws.choose(count, of: devices)
    }

    /// The places that are meant when those with copies are not counted.
    private static func skipping(
        _ taken: Dictionary<Int, [UnitPlan.Copy]>.Keys,
        in chosen: [Int],
        _ phase: ScenarioPhase
    ) -> [Int] {
        guard !taken.isEmpty else { return chosen }
        let free = (1...max(phase.devices, 1)).filter { !taken.contains($0) }
        return chosen.compactMap { free.indices.contains($0 - 1) ? free[$0 - 1] : nil }
    }
}
