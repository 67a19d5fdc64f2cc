package import Foundation

/// The bodies of the operator API, shared by server and command line. Hashes and serial numbers are lower-case
/// hexadecimal, times are RFC 3339 in UTC, certificates are PEM.
package enum API {
    /// What a holder may do; each may do what those before it may.
    package enum Role: String, Codable, CaseIterable, Sendable {
        case gateway, viewer, `operator`, admin
    }

    /// One page of a listing.
    package struct Page<Item: Codable & Sendable>: Codable, Sendable {
        package var items: [Item]
        /// Asks for the next page as `cursor`; missing on the last one.
        package var next: String?

        package init(items: [Item], next: String?) {
            self.items = items
            self.next = next
        }
    }

    /// Problem details (RFC 9457).
    package struct Problem: Codable, Hashable, Sendable, Error {
        /// One thing that is wrong.
        package struct Fault: Codable, Hashable, Sendable {
            /// Where: a path such as `anchors[0].deviceID`, or `line 17`.
            package var at: String
            package var reason: String

            package init(at: String, reason: String) {
                self.at = at
                self.reason = reason
            }
        }

        package var title: String
        package var status: Int
        /// What is wrong and what to do.
        package var detail: String
        /// A code for programs.
        package var code: String
        package var faults: [Fault]?

        package init(title: String, status: Int, detail: String, code: String, faults: [Fault]? = nil) {
            self.title = title
            self.status = status
            self.detail = detail
            self.code = code
            self.faults = faults
        }
    }

    /// Who is asking.
    package struct Caller: Codable, Hashable, Sendable {
        package var name: String
        package var role: Role
        /// `certificate` or `token`.
        package var by: String
        /// How many devices the caller may still revoke in this hour without a second operator; missing without a limit.
        package var revocationsLeft: Int64?

        package init(name: String, role: Role, by: String, revocationsLeft: Int64? = nil) {
            self.name = name
            self.role = role
            self.by = by
            self.revocationsLeft = revocationsLeft
        }
    }

    /// Why something is blocked, approved or rejected.
    package struct Comment: Codable, Hashable, Sendable {
        package static let lengthMax = 500
        package var comment: String?

        package init(comment: String?) { self.comment = comment }
    }

    /// Who blocked what, when and why.
    package struct Block: Codable, Hashable, Sendable {
        package var at: Date
        package var by: String
        package var comment: String?

        package init(at: Date, by: String, comment: String?) {
            self.at = at
            self.by = by
            self.comment = comment
        }
    }

    /// An anchor as it stands.
    package struct Anchor: Codable, Hashable, Sendable {
        /// As its fleet describes it.
        package var description: FleetDescription.Anchor
        package var subject: String
        package var notAfter: Date
        package var devices: Int64
        package var devicesLastHour: Int64
        package var block: Block?

        package init(
            description: FleetDescription.Anchor,
            subject: String,
            notAfter: Date,
            devices: Int64,
            devicesLastHour: Int64,
            block: Block?
        ) {
            self.description = description
            self.subject = subject
            self.notAfter = notAfter
            self.devices = devices
            self.devicesLastHour = devicesLastHour
            self.block = block
        }
    }

    /// A bootstrap credential that was seen, limited, marked or blocked.
    package struct Credential: Codable, Hashable, Sendable {
        /// Why it is marked for the operator.
        package struct Mark: Codable, Hashable, Sendable {
            package var at: Date
            /// The refusal's reason code.
            package var reason: String

            package init(at: Date, reason: String) {
                self.at = at
                self.reason = reason
            }
        }

        package var sha256: String
        package var anchor: String?
        /// `idevid` or `claim`.
        package var kind: String?
        package var subject: String?
        package var firstSeenAt: Date?
        package var lastSeenAt: Date?
        package var devices: Int64
        package var devicesLastHour: Int64
        /// Its own, in place of its anchor's.
        package var limits: Limits?
        package var block: Block?
        package var mark: Mark?

        package init(
            sha256: String,
            anchor: String?,
            kind: String?,
            subject: String?,
            firstSeenAt: Date?,
            lastSeenAt: Date?,
            devices: Int64,
            devicesLastHour: Int64,
            limits: Limits?,
            block: Block?,
            mark: Mark?
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
            self.mark = mark
        }
    }
}
