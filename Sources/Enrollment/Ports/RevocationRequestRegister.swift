package import Foundation
package import PKI

/// What one operator asks to revoke beyond the limit by the hour, and a second one approves.
package protocol RevocationRequestRegister: Sendable {
    /// How many devices an operator may still revoke in this hour without a second one; nil if there is no limit.
    func allowance(of actor: String, at: Date) async throws(RecordError) -> Int64?

    /// Records what an operator asks for, with its audit entry.
    /// - Returns: The names that are no device's of the fleet, if there are any: then nothing was recorded.
    func ask(
        for devices: [DeviceID],
        of fleet: FleetID,
        reason: RevocationReason,
        comment: String?,
        actor: String,
        at: Date
    ) async throws(RecordError) -> RevocationRequestOutcome

    /// Lets the one who asked revoke just these devices, for just this reason, with the audit entry.
    /// - Returns: Nil if there is no such request.
    func approve(
        _ id: Int64,
        of fleet: FleetID,
        actor: String,
        at: Date
    ) async throws(RecordError) -> RevocationApprovalOutcome?

    func request(_ id: Int64, of fleet: FleetID) async throws(RecordError) -> RevocationRequestEntry?

    /// Oldest first.
    func requests(of fleet: FleetID, after: Int64?, limit: Int) async throws(RecordError) -> [RevocationRequestEntry]
}

package enum RevocationRequestOutcome: Hashable, Sendable {
    case asked(RevocationRequestEntry)
    /// The first of those that are unknown.
    case unknown(device: String)
}

package enum RevocationApprovalOutcome: Hashable, Sendable {
    /// It is approved, whether or not it was before.
    case approved(RevocationRequestEntry)
    /// By the one who asked for it.
    case sameOperator
    case expired
}

/// A request, as operators look at it.
package struct RevocationRequestEntry: Hashable, Sendable {
    package enum State: String, CaseIterable, Hashable, Sendable {
        case pending, approved, expired
    }

    /// Devices of one request; whoever has more asks more than once.
    package static let devicesMax = 10_000
    /// How many are shown by name.
    package static let sampleMax = 10
    /// How long one waits for approval.
    package static let pendingMax: Duration = .seconds(7 * 86_400)
    /// How long what was approved can be done.
    package static let approvedMax: Duration = .seconds(86_400)

    package let id: Int64
    package let reason: String
    package let comment: String?
    package let devices: Int64
    /// Of those, how many were not revoked by it yet.
    package let left: Int64
    /// The first by name.
    package let sample: [String]
    package let requestedAt: Date
    package let requestedBy: String
    package let approvedAt: Date?
    package let approvedBy: String?
    package let expiresAt: Date

    package init(
        id: Int64,
        reason: String,
        comment: String?,
        devices: Int64,
        left: Int64,
        sample: [String],
        requestedAt: Date,
        requestedBy: String,
        approvedAt: Date?,
        approvedBy: String?,
        expiresAt: Date
    ) {
        self.id = id
        self.reason = reason
        self.comment = comment
        self.devices = devices
        self.left = left
        self.sample = sample
        self.requestedAt = requestedAt
        self.requestedBy = requestedBy
        self.approvedAt = approvedAt
        self.approvedBy = approvedBy
        self.expiresAt = expiresAt
    }

    package func state(at now: Date) -> State {
        if now >= expiresAt { return .expired }
        return approvedAt == nil ? .pending : .approved
    }
}
