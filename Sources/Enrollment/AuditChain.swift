import Crypto
package import Foundation

/// Who did what, when: an entry of the audit log.
package struct AuditEntry: Hashable, Sendable {
    package let at: Date
    /// Who acted: `device <name>`, `operator <name>` or `muster <command>`.
    package let actor: String
    /// What was done, such as `certificate.issued`.
    package let action: String
    /// To what.
    package let subject: String
    package let detail: String

    package init(at: Date, actor: String, action: String, subject: String, detail: String) {
        self.at = at
        self.actor = actor
        self.action = action
        self.subject = subject
        self.detail = detail
    }
}

/// The chain over audit entries: each hash covers its entry and the hash before it, so that a changed, removed or
/// inserted entry breaks every hash after it.
package enum AuditChain {
    /// The hash before the first entry.
    package static let origin = [UInt8](repeating: 0, count: 32)

    /// SHA-256 of the previous hash and of each field, length first. Time counts in whole microseconds, as the record
    /// keeps it.
    package static func hash(_ entry: AuditEntry, sequence: Int64, previous: [UInt8]) -> [UInt8] {
        let microseconds = Int64((entry.at.timeIntervalSince1970 * 1_000_000).rounded())
        var octets = previous
        octets.reserveCapacity(octetsUsual)
        append(String(sequence), to: &octets)
        append(String(microseconds), to: &octets)
        append(entry.actor, to: &octets)
        append(entry.action, to: &octets)
        append(entry.subject, to: &octets)
        append(entry.detail, to: &octets)
        return [UInt8](SHA256.hash(data: octets))
    }

    /// Of what an entry's hash covers.
    private static let octetsUsual = 512

    /// A field behind its length in eight octets, most significant first.
    private static func append(_ field: String, to octets: inout [UInt8]) {
        let length = UInt64(field.utf8.count)
        for shift in stride(from: 56, through: 0, by: -8) {
            octets.append(UInt8(truncatingIfNeeded: length >> UInt64(shift)))
        }
        octets += field.utf8
    }
}

/// What a check of the audit log found.
package enum AuditVerdict: Hashable, Sendable {
    /// All entries hang together.
    case intact(entries: Int64)
    /// The first place where they do not.
    case broken(sequence: Int64, why: String)
}
