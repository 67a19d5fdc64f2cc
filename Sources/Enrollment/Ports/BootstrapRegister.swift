package import Foundation

/// Anchors and bootstrap credentials, as operators watch and block them. Every change is one transaction with its audit
/// entry, and holds from the next request on.
package protocol BootstrapRegister: Sendable {
    /// All present anchors of a fleet, by name.
    func anchors(of fleet: FleetID) async throws(RecordError) -> [AnchorEntry]

    /// - Parameter comment: Why; nil unblocks.
    /// - Returns: The anchor as it then is, or nil if there is none of that name.
    func setBlock(
        ofAnchor name: String,
        fleet: FleetID,
        isBlocked: Bool,
        comment: String?,
        actor: String,
        at: Date
    ) async throws(RecordError) -> AnchorEntry?

    /// One page by SHA-256.
    func credentials(
        of fleet: FleetID,
        _ selection: CredentialSelection,
        after: [UInt8]?,
        limit: Int
    ) async throws(RecordError) -> [CredentialEntry]

    func credential(_ sha256: [UInt8], of fleet: FleetID) async throws(RecordError) -> CredentialEntry?

    /// Changes what an operator says of a credential. One that the fleet never saw can be blocked and limited too.
    func change(
        _ sha256: [UInt8],
        of fleet: FleetID,
        _ change: CredentialChange,
        actor: String,
        at: Date
    ) async throws(RecordError) -> CredentialEntry
}

/// Which credentials.
package enum CredentialSelection: String, CaseIterable, Hashable, Sendable {
    case all, marked, blocked
}

/// What an operator does to a credential.
package enum CredentialChange: Hashable, Sendable {
    case block(comment: String?)
    case unblock
    /// Takes the mark off.
    case clear
    /// Its own limits, in place of its anchor's; nil members follow the anchor.
    case limit(BootstrapLimits)
}

/// An anchor in the record.
package struct AnchorEntry: Hashable, Sendable {
    package let name: String
    /// DER.
    package let certificate: [UInt8]
    package let rule: DeviceIDRule
    package let keyChange: KeyChangeRule
    package let limits: AnchorLimits
    /// Devices that it let in first.
    package let devices: Int64
    package let devicesLastHour: Int64
    package let block: BlockEntry?

    package init(
        name: String,
        certificate: [UInt8],
        rule: DeviceIDRule,
        keyChange: KeyChangeRule,
        limits: AnchorLimits,
        devices: Int64,
        devicesLastHour: Int64,
        block: BlockEntry?
    ) {
        self.name = name
        self.certificate = certificate
        self.rule = rule
        self.keyChange = keyChange
        self.limits = limits
        self.devices = devices
        self.devicesLastHour = devicesLastHour
        self.block = block
    }
}

/// Who blocked what, when and why.
package struct BlockEntry: Hashable, Sendable {
    package let at: Date
    package let by: String
    package let comment: String?

    package init(at: Date, by: String, comment: String?) {
        self.at = at
        self.by = by
        self.comment = comment
    }
}

/// A bootstrap credential in the record.
package struct CredentialEntry: Hashable, Sendable {
    package let sha256: [UInt8]
    package let anchor: String?
    package let kind: Attempt.CredentialKind?
    package let subject: String?
    package let firstSeenAt: Date?
    package let lastSeenAt: Date?
    package let devices: Int64
    package let devicesLastHour: Int64
    /// Its own limits.
    package let limits: BootstrapLimits
    package let block: BlockEntry?
    package let markedAt: Date?
    package let markedReason: String?

    package init(
        sha256: [UInt8],
        anchor: String?,
        kind: Attempt.CredentialKind?,
        subject: String?,
        firstSeenAt: Date?,
        lastSeenAt: Date?,
        devices: Int64,
        devicesLastHour: Int64,
        limits: BootstrapLimits,
        block: BlockEntry?,
        markedAt: Date?,
        markedReason: String?
    ) {
        self.sha256 = sha256
        self.anchor = anchor
        self.kind = kind
        self.subject = subject
        self.firstSeenAt = firstSeenAt
        self.lastSeenAt = lastSeenAt
        self.devices = devices
        self.devicesLastHour = devicesLastHour
        self.limits = limits
        self.block = block
        self.markedAt = markedAt
        self.markedReason = markedReason
    }
}
