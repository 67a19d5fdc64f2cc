import PKI

/// Whose standing was noticed to change, and when in the order of what was noticed: what was said of others still holds.
struct NoticedStandings {
    /// The most devices that are remembered; with one more all count as changed.
    private static let devicesMax = 10_000

    /// A device whose standing changed, and the audit entry that says so.
    struct Change {
        let sequence: Int64
        let fleet: String
        let device: String
    }

    /// How many changes were noticed.
    private(set) var changes: UInt64 = 0
    /// The last audit entry that was noticed; nil if none was looked for yet.
    private(set) var last: Int64?
    /// All that was said when there were fewer changes is old.
    private var allChanged: UInt64 = 0
    /// The same of one device, by its common name.
    private var changed: [String: UInt64] = [:]
    /// Which issuers fleets trust.
    private var trust: String?

    /// Whether nothing was noticed of the device since there were `then` changes.
    func holds(_ device: DeviceID, of fleet: FleetName, since then: UInt64) -> Bool {
        guard then >= allChanged else { return false }
        if changed.isEmpty { return true }
        return then >= changed[DeviceNames(device: device, fleet: fleet).commonName, default: 0]
    }

    mutating func changeAll() {
        changes += 1
        allChanged = changes
        changed = [:]
    }

    /// Changes count from the audit entry that is the last one now.
    mutating func begin(after last: Int64) {
        self.last = last
        changeAll()
    }

    mutating func note(_ changed: [Change]) {
        guard !changed.isEmpty else { return }
        changes += 1
        for change in changed {
            self.changed["\(change.device)@\(change.fleet)"] = changes
            last = max(last ?? 0, change.sequence)
        }
        if self.changed.count > Self.devicesMax { changeAll() }
    }

    mutating func note(trust: String) {
        if trust != self.trust { changeAll() }
        self.trust = trust
    }
}
