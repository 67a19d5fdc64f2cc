import MQTT
import Synchronization

/// What the devices of a storm have in common.
struct StormScene: Sendable {
    /// How long a device that is not revoked waits for its own message.
    static let echoPatience: Duration = .seconds(30)

    let storm: RevocationStorm
    /// Of the devices that came by the claim that leaked, and of the others.
    let leaked: SimulatedFleet
    let others: SimulatedFleet
    let broker: DeviceBroker
    /// Drives the connections of all devices.
    let thread: MQTTThread
    /// Nil if there is none.
    let gateway: GatewayDoor?
    /// For whoever enrolls, connects or renews.
    let places: Places
    let roll: StormRoll
    /// Everybody is connected, or never will be.
    let began = Milestone<ContinuousClock.Instant>()
    /// Each revoked device is refused everywhere, or waited for that in vain.
    let calm = Milestone<Void>()

    /// What is to refuse a revoked device.
    var refusals: [StormStage] { StormStage.refusals.filter { gateway != nil || $0 != .gateway } }
}

/// Counts the devices that are ready for the storm, or never will be.
final class StormRoll: Sendable {
    private let missing: Mutex<Set<Int>>
    /// All have answered.
    let complete = Milestone<Void>()

    init(_ devices: Int) { missing = Mutex(Set(1...max(devices, 1))) }

    /// Device `number` is; a second answer is none.
    func answer(_ number: Int) {
        let isComplete = missing.withLock { missing in
            missing.remove(number) != nil && missing.isEmpty
        }
        if isComplete { complete.reach(()) }
    }
}
