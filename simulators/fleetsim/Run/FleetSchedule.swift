/// Which device comes next, so many at once: first boots in their order, and the devices that waited for approval and
/// are due, by turns, so that neither keeps the other out. A device that only waits holds no place, so that a whole fleet
/// can wait together. Pure.
struct FleetSchedule<Waiting: Sendable>: Sendable {
    /// The most devices that wait at once; beyond them no new device begins.
    static var waitingMax: Int { 100_000 }

    /// What to start now.
    enum Start {
        /// Device `number`, counted from 1, at its first boot.
        case first(Int)
        /// A device that has waited as long as it was asked to.
        case again(Waiting)
    }

    let devices: Int
    let concurrency: Int
    /// Devices that wait and are not due.
    private(set) var waiting = 0
    private var following = 1
    private var active = 0
    /// In the order in which they became due, from `dueStart` on.
    private var due: [Waiting] = []
    private var dueStart = 0
    /// True if a first boot has the next turn.
    private var isTurnOfNew = false
    private var isStopped = false

    init(devices: Int, concurrency: Int) {
        self.devices = devices
        self.concurrency = concurrency
    }

    /// The next device to start; nil if there is none or no place for it.
    mutating func start() -> Start? {
        guard !isStopped, active < concurrency else { return nil }
        let hasNew = following <= devices && waiting < Self.waitingMax
        if !(hasNew && isTurnOfNew), let device = nextDue() {
            isTurnOfNew = true
            active += 1
            return .again(device)
        }
        guard hasNew else { return nil }
        isTurnOfNew = false
        defer { following += 1 }
        active += 1
        return .first(following)
    }

    /// A device has come to its end.
    mutating func ended() { active -= 1 }

    /// A device leaves its place and waits.
    mutating func waits() {
        active -= 1
        waiting += 1
    }

    /// A device has waited long enough.
    mutating func isDue(_ device: Waiting) {
        waiting -= 1
        due.append(device)
    }

    /// Nothing starts any more.
    /// - Returns: The devices that would have been next.
    mutating func stop() -> [Waiting] {
        isStopped = true
        defer {
            due = []
            dueStart = 0
        }
        return Array(due[dueStart...])
    }

    private mutating func nextDue() -> Waiting? {
        guard dueStart < due.count else { return nil }
        let device = due[dueStart]
        dueStart += 1
        // What was taken is dropped now and then, so that each device costs the same.
        if dueStart >= 64, dueStart * 2 >= due.count {
            due.removeFirst(dueStart)
            dueStart = 0
        }
        return device
    }
}
