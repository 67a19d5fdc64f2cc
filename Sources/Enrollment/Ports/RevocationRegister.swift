package import Foundation
package import PKI

/// Revokes devices, and takes that back where it can be.
package protocol RevocationRegister: Sendable {
    /// Changes a device's standing with all that follows from it, its audit entry and its event, in one transaction. When
    /// it returns, it is durable, and no enrollment that was decided before is recorded any more.
    /// - Returns: Nil if no such device has enrolled.
    func change(
        _ device: DeviceID,
        of fleet: FleetID,
        _ change: StandingChange,
        actor: String,
        at: Date
    ) async throws(RecordError) -> RevocationOutcome?
}

/// What became of a change to a device's standing.
package enum RevocationOutcome: Hashable, Sendable {
    /// It is now as wanted, whether or not it was so before.
    case done(DeviceEntry)
    /// Its present standing does not allow it (`StandingChange.Effect.refuse`).
    case refused(DeviceEntry)
    /// The operator has revoked as many devices within the hour as one may; nothing was done.
    case secondOperatorNeeded
}
