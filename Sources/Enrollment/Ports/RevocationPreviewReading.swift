package import Foundation
package import PKI

/// Looks ahead to a revocation of many: whom it would reach, who of them is about, and what else their credentials let in.
package protocol RevocationPreviewReading: Sendable {
    /// Changes nothing.
    func preview(
        of group: RevocationGroup,
        fleet: FleetID,
        for reason: RevocationReason,
        at: Date
    ) async throws(RecordError) -> RevocationPreview
}

/// Devices of a fleet that are to be revoked together: those that all of this holds for. What is nil says nothing, so
/// that an empty group is the whole fleet.
package struct RevocationGroup: Hashable, Sendable {
    /// How a device stands; the names are those that operators read.
    package enum State: String, CaseIterable, Hashable, Sendable {
        case valid, expired, held, revoked
        /// Revoked, and free to enroll again.
        case cleared
    }

    /// The most devices that one group names.
    package static let devicesMax = 10_000

    package var devices: [DeviceID]?
    /// What their names begin with.
    package var prefix: String?
    /// The bootstrap credential that let them in first.
    package var credentialSHA256: [UInt8]?
    /// The anchor that let them in first, by name.
    package var anchor: String?
    /// Who signed their present certificates, by name.
    package var issuer: String?
    package var state: State?
    /// When they enrolled first: from (inclusive), until (exclusive).
    package var enrolledFrom: Date?
    package var enrolledUntil: Date?
    /// When their present certificates were used: from (inclusive), until (exclusive), or never.
    package var usedFrom: Date?
    package var usedUntil: Date?
    /// When was heard of them last, as `DeviceEntry.seenAt` has it: from (inclusive), until (exclusive).
    package var seenFrom: Date?
    package var seenUntil: Date?

    package init() {}
}

/// What revoking a group would come to.
package struct RevocationPreview: Hashable, Sendable {
    /// Who was seen within this time was seen lately. Seen is a device that was given a certificate, asked for one with a
    /// certificate of its own, used its present one first, acknowledged a trust store, or reported as an agent. Sessions at a
    /// broker are not in the record, so that more devices may be about.
    package static let latelyMax: Duration = .seconds(300)
    /// How many are shown by name, of all and of those seen lately.
    package static let sampleMax = 10
    /// How many credentials are told of.
    package static let credentialsMax = 20
    /// How many other fleets are told of each.
    package static let fleetsMax = 10
    /// How many names are told that are no device's.
    package static let unknownMax = 20

    /// The first moment that is lately.
    package static func lately(at now: Date) -> Date { now.addingTimeInterval(-Double(latelyMax.components.seconds)) }

    /// A device that would be revoked.
    package struct Device: Hashable, Sendable {
        package let device: String
        /// The last that the record knows; requests that were refused or answered with the same certificate again count only
        /// if they were lately.
        package let seenAt: Date

        package init(device: String, seenAt: Date) {
            self.device = device
            self.seenAt = seenAt
        }
    }

    /// Devices by what operators said of them.
    package struct Standing: Hashable, Sendable {
        /// Neither revoked nor on hold.
        package let active: Int64
        package let revoked: Int64

        package init(active: Int64, revoked: Int64) {
            self.active = active
            self.revoked = revoked
        }
    }

    /// What a credential let in elsewhere.
    package struct Elsewhere: Hashable, Sendable {
        package let fleet: String
        /// In all, however they stand.
        package let devices: Int64

        package init(fleet: String, devices: Int64) {
            self.fleet = fleet
            self.devices = devices
        }
    }

    /// A bootstrap credential that devices of the group may share with others.
    package struct Credential: Hashable, Sendable {
        package let sha256: [UInt8]
        package let kind: Attempt.CredentialKind?
        package let subject: String?
        package let anchor: String?
        /// Devices of the group that it let in first.
        package let group: Standing
        /// Other devices of the fleet that it let in first.
        package let others: Standing
        /// Those with the most devices.
        package let elsewhere: [Elsewhere]
        /// Why it lets in no new device now; nil if it does, as far as the record knows.
        package let closed: Refusal?

        package init(
            sha256: [UInt8],
            kind: Attempt.CredentialKind?,
            subject: String?,
            anchor: String?,
            group: Standing,
            others: Standing,
            elsewhere: [Elsewhere],
            closed: Refusal?
        ) {
            self.sha256 = sha256
            self.kind = kind
            self.subject = subject
            self.anchor = anchor
            self.group = group
            self.others = others
            self.elsewhere = elsewhere
            self.closed = closed
        }

        /// The command that closes it; nil if it is closed.
        package func closingCommand(in fleet: FleetName) -> String? {
            guard closed == nil else { return nil }
            return OperatorCommand("credential block", Hex.text(sha256)).option("fleet", fleet.text).text
        }
    }

    /// Devices that would be revoked.
    package let devices: Int64
    /// Devices of the group that stay as they are, since they are revoked already.
    package let already: Int64
    /// Of `devices`, those whose certificate is valid.
    package let valid: Int64
    /// Of `devices`, those seen lately.
    package let lately: Int64
    /// The first of `devices`, by name.
    package let sample: [Device]
    /// Of those seen lately, the last ones, the very last first.
    package let latest: [Device]
    /// The claims that let in devices of the group, and the credential that the group is chosen by: first those with the most
    /// other devices.
    package let credentials: [Credential]
    /// How many credentials are not told of.
    package let furtherCredentials: Int64
    /// How many names of the group are no device's of the fleet.
    package let unknown: Int64
    /// The first of these.
    package let unknownNames: [String]

    package init(
        devices: Int64,
        already: Int64,
        valid: Int64,
        lately: Int64,
        sample: [Device],
        latest: [Device],
        credentials: [Credential],
        furtherCredentials: Int64,
        unknown: Int64,
        unknownNames: [String]
    ) {
        self.devices = devices
        self.already = already
        self.valid = valid
        self.lately = lately
        self.sample = sample
        self.latest = latest
        self.credentials = credentials
        self.furtherCredentials = furtherCredentials
        self.unknown = unknown
        self.unknownNames = unknownNames
    }
}
