package import Foundation

extension API {
    /// Asks what revoking many devices would come to: those that all of this holds for; an empty order is the whole fleet.
    package struct RevocationPreviewOrder: Codable, Hashable, Sendable {
        /// The most devices that one order names.
        package static let devicesMax = 10_000

        /// Names.
        package var devices: [String]?
        /// What their names begin with.
        package var prefix: String?
        /// SHA-256 of the bootstrap credential that let them in first.
        package var credential: String?
        /// The anchor that let them in first.
        package var anchor: String?
        /// Who signed their present certificates.
        package var issuer: String?
        /// `valid`, `expired`, `held`, `revoked` or `cleared`.
        package var state: String?
        /// When they enrolled first: from (inclusive), until (exclusive).
        package var enrolledFrom: Date?
        package var enrolledUntil: Date?
        /// When their present certificates were used: from (inclusive), until (exclusive), or never.
        package var usedFrom: Date?
        package var usedUntil: Date?
        /// When was heard of them last: from (inclusive), until (exclusive).
        package var seenFrom: Date?
        package var seenUntil: Date?
        /// For what they are to be revoked; `unspecified` if left out.
        package var reason: String?

        package init() {}
    }

    /// What revoking many devices would come to.
    package struct RevocationPreview: Codable, Hashable, Sendable {
        /// A device that would be revoked.
        package struct Device: Codable, Hashable, Sendable {
            package var device: String
            /// The last that the record knows.
            package var seenAt: Date
            package var isSeenLately: Bool

            package init(device: String, seenAt: Date, isSeenLately: Bool) {
                self.device = device
                self.seenAt = seenAt
                self.isSeenLately = isSeenLately
            }
        }

        /// Who of them is about.
        package struct Lately: Codable, Hashable, Sendable {
            /// What lately means.
            package var withinSeconds: Int64
            /// How many were seen within that time.
            package var devices: Int64
            /// The last ones, the very last first.
            package var latest: [Device]

            package init(withinSeconds: Int64, devices: Int64, latest: [Device]) {
                self.withinSeconds = withinSeconds
                self.devices = devices
                self.latest = latest
            }
        }

        /// Devices by what operators said of them.
        package struct Standing: Codable, Hashable, Sendable {
            /// Neither revoked nor on hold.
            package var active: Int64
            package var revoked: Int64

            package init(active: Int64, revoked: Int64) {
                self.active = active
                self.revoked = revoked
            }
        }

        /// What a credential let in elsewhere.
        package struct Elsewhere: Codable, Hashable, Sendable {
            package var fleet: String
            /// In all, however they stand.
            package var devices: Int64

            package init(fleet: String, devices: Int64) {
                self.fleet = fleet
                self.devices = devices
            }
        }

        /// Why a credential lets in no new device now.
        package struct Refusal: Codable, Hashable, Sendable {
            /// The code that a new device would be refused with.
            package var reason: String
            package var detail: String

            package init(reason: String, detail: String) {
                self.reason = reason
                self.detail = detail
            }
        }

        /// A bootstrap credential that devices of the group may share with others.
        package struct Credential: Codable, Hashable, Sendable {
            package var sha256: String
            /// `idevid` or `claim`.
            package var kind: String?
            package var subject: String?
            package var anchor: String?
            /// Devices of the group that it let in first.
            package var group: Standing
            /// Other devices of the fleet that it let in first.
            package var others: Standing
            /// Those with the most devices.
            package var otherFleets: [Elsewhere]
            /// True if it lets in new devices still, as far as the record knows.
            package var isOpen: Bool
            /// Missing if it is open.
            package var refusal: Refusal?
            /// The command that closes it; missing if it is closed.
            package var command: String?

            package init(
                sha256: String,
                kind: String?,
                subject: String?,
                anchor: String?,
                group: Standing,
                others: Standing,
                otherFleets: [Elsewhere],
                isOpen: Bool,
                refusal: Refusal?,
                command: String?
            ) {
                self.sha256 = sha256
                self.kind = kind
                self.subject = subject
                self.anchor = anchor
                self.group = group
                self.others = others
                self.otherFleets = otherFleets
                self.isOpen = isOpen
                self.refusal = refusal
                self.command = command
            }
        }

        /// How many are shown by name, of all and of those seen lately.
        package static let sampleMax = 10
        /// How many credentials are told of.
        package static let credentialsMax = 20
        /// How many names are told that are no device's.
        package static let unknownMax = 20

        /// Devices that would be revoked.
        package var devices: Int64
        /// Devices of the group that are so already.
        package var already: Int64
        /// Those of `devices` whose certificate is valid now.
        package var valid: Int64
        package var seenLately: Lately
        /// The first of `devices`, by name.
        package var sample: [Device]
        /// The claims that let in devices of the group, and the credential that it is chosen by: first those with the most
        /// other devices.
        package var credentials: [Credential]
        /// How many credentials are not told of.
        package var furtherCredentials: Int64
        /// How many names are no device's of the fleet.
        package var unknown: Int64
        /// The first of these.
        package var unknownNames: [String]

        package init(
            devices: Int64,
            already: Int64,
            valid: Int64,
            seenLately: Lately,
            sample: [Device],
            credentials: [Credential],
            furtherCredentials: Int64,
            unknown: Int64,
            unknownNames: [String]
        ) {
            self.devices = devices
            self.already = already
            self.valid = valid
            self.seenLately = seenLately
            self.sample = sample
            self.credentials = credentials
            self.furtherCredentials = furtherCredentials
            self.unknown = unknown
            self.unknownNames = unknownNames
        }
    }
}
