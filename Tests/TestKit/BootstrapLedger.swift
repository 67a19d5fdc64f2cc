import Enrollment
import Foundation

/// What anchors and bootstrap credentials let in, and what an operator said of them: counted by whole minutes, as
/// PostgreSQL does.
struct BootstrapLedger {
    /// Whose account it is.
    enum Holder: Hashable {
        case anchor(AnchorID)
        case credential(FleetID, [UInt8])
    }

    /// Whole minutes since 1970 that count as the last hour, beside the present one.
    private static let minutesCounted: Int64 = 60

    private var minutes: [Holder: [Int64: Int64]] = [:]
    private var blocked: Set<Holder> = []
    private var limits: [Holder: BootstrapLimits] = [:]

    mutating func setBlock(_ holder: Holder, isBlocked: Bool) {
        if isBlocked { blocked.insert(holder) } else { blocked.remove(holder) }
    }

    mutating func setLimits(_ holder: Holder, _ limits: BootstrapLimits) { self.limits[holder] = limits }

    func standing(of bootstrap: EnrollmentQuestion.Bootstrap, fleet: FleetID) -> BootstrapStanding {
        let credential = Holder.credential(fleet, bootstrap.credentialSHA256)
        return BootstrapStanding(
            anchor: count(.anchor(bootstrap.anchor), at: bootstrap.at),
            credential: count(credential, at: bootstrap.at),
            credentialLimits: limits[credential] ?? BootstrapLimits()
        )
    }

    /// Counts a new device. False if a limit is reached: nothing is counted then.
    mutating func admit(_ admission: Admission, fleet: FleetID, at: Date) -> Bool {
        let accounts: [(Holder, BootstrapLimits)] = [
            (.anchor(admission.anchor), admission.anchorLimits),
            (.credential(fleet, admission.credentialSHA256), admission.credentialLimits),
        ]
        for (holder, limits) in accounts {
            let count = count(holder, at: at)
            if let max = limits.devicesMax, count.devices >= max { return false }
            if let max = limits.devicesPerHour, count.devicesLastHour >= max { return false }
        }
        for (holder, _) in accounts { minutes[holder, default: [:]][Self.minute(of: at), default: 0] += 1 }
        return true
    }

    private func count(_ holder: Holder, at: Date) -> BootstrapStanding.Count {
        let counted = minutes[holder] ?? [:]
        let present = Self.minute(of: at)
        let lastHour = counted.filter { $0.key >= present - Self.minutesCounted && $0.key <= present }
        return BootstrapStanding.Count(
            isBlocked: blocked.contains(holder),
            devices: counted.values.reduce(0, +),
            devicesLastHour: lastHour.values.reduce(0, +)
        )
    }

    private static func minute(of at: Date) -> Int64 { Int64((at.timeIntervalSince1970 / 60).rounded(.down)) }
}
