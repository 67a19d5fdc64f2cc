package import Foundation
package import PKI

/// The devices that operators announced. Every change is one transaction with its audit entry.
package protocol RegistrationRegister: Sendable {
    /// One page by name; with a prefix, those that begin so.
    func registrations(
        of fleet: FleetID,
        prefix: String,
        after: String?,
        limit: Int
    ) async throws(RecordError) -> [RegistrationEntry]

    func registration(_ device: DeviceID, of fleet: FleetID) async throws(RecordError) -> RegistrationEntry?

    /// Adds a registration, or makes one that is there say this.
    func register(
        _ device: DeviceID,
        _ registration: Registration,
        fleet: FleetID,
        actor: String,
        at: Date
    ) async throws(RecordError) -> RegistrationChange

    /// - Returns: False if there was none.
    func remove(_ device: DeviceID, fleet: FleetID, actor: String, at: Date) async throws(RecordError) -> Bool

    /// Registers all that `feed` hands to its sink, or, if it throws, nothing: one transaction, one audit entry.
    func registerAll(
        fleet: FleetID,
        actor: String,
        at: Date,
        _ feed: @Sendable (_ sink: @Sendable ([RegistrationLine]) async throws -> Void) async throws -> Void
    ) async throws -> RegistrationCounts
}

/// One device to be registered.
package struct RegistrationLine: Hashable, Sendable {
    package let device: DeviceID
    package let registration: Registration

    package init(device: DeviceID, registration: Registration) {
        self.device = device
        self.registration = registration
    }
}

/// What registering did.
package enum RegistrationChange: String, Hashable, Sendable {
    case added, changed, unchanged
}

/// What registering many did.
package struct RegistrationCounts: Hashable, Sendable {
    package var added: Int64
    package var changed: Int64
    package var unchanged: Int64

    package init(added: Int64 = 0, changed: Int64 = 0, unchanged: Int64 = 0) {
        self.added = added
        self.changed = changed
        self.unchanged = unchanged
    }
}

/// A registration in the record.
package struct RegistrationEntry: Hashable, Sendable {
    package let device: String
    package let registration: Registration
    package let createdAt: Date
    package let changedAt: Date
    /// True if the device has enrolled.
    package let isEnrolled: Bool

    package init(device: String, registration: Registration, createdAt: Date, changedAt: Date, isEnrolled: Bool) {
        self.device = device
        self.registration = registration
        self.createdAt = createdAt
        self.changedAt = changedAt
        self.isEnrolled = isEnrolled
    }
}
