package import Foundation
package import PKI

/// Why a device's certificates are not to be trusted any more, by the names of RFC 5280 section 5.3.1. Reasons that are
/// only for CAs, attribute certificates and delta CRLs are not among them.
package enum RevocationReason: String, CaseIterable, Hashable, Sendable {
    case unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold,
        privilegeWithdrawn

    /// The code of RFC 5280 section 5.3.1.
    package var code: UInt8 {
        switch self {
        case .unspecified: 0
        case .keyCompromise: 1
        case .affiliationChanged: 3
        case .superseded: 4
        case .cessationOfOperation: 5
        case .certificateHold: 6
        case .privilegeWithdrawn: 9
        }
    }

    /// True if it can be taken back.
    package var isHold: Bool { self == .certificateHold }

    /// True if it takes the place of `earlier`. A hold may become anything, anything a key compromise, and nothing leaves
    /// that.
    package func replaces(_ earlier: RevocationReason?) -> Bool {
        guard let earlier else { return true }
        return self != earlier && (earlier.isHold || self == .keyCompromise)
    }
}

/// What becomes of a revoked device that comes with its bootstrap credential and a new key.
package enum ReenrollmentPolicy: String, CaseIterable, Hashable, Sendable {
    /// It stays out.
    case never
    /// An operator is asked, whatever the fleet's policy for new devices is.
    case approval
    /// It stays out until an operator clears it.
    case afterClear = "after-clear"

    package static let standard: ReenrollmentPolicy = .approval
}

/// How a device stands with the operators.
package struct DeviceStanding: Hashable, Sendable {
    /// Why it is revoked or on hold; nil if it is neither.
    package let reason: RevocationReason?
    /// How often operators changed that. An enrollment is recorded only if it is still what the decision saw.
    package let changes: Int64

    package init(reason: RevocationReason? = nil, changes: Int64 = 0) {
        self.reason = reason
        self.changes = changes
    }
}

/// What an operator does to a device's standing.
package enum StandingChange: Hashable, Sendable {
    /// Its certificates and keys are not to be trusted; with the reason `certificateHold`, until it is released.
    case revoke(RevocationReason, comment: String?)
    /// The hold ends, and everything is as it was before.
    case release(comment: String?)
    /// A revoked device may enroll again with a new key. What was revoked stays so.
    case clear(comment: String?)

    /// What it does.
    package enum Effect: Hashable, Sendable {
        /// It is revoked or held for the first time.
        case revoke
        /// It stays revoked, for another reason and since the same time.
        case restate
        case release
        case clear
        /// It is so already.
        case nothing
        /// Only what is on hold can be released, and only what is not on hold can be cleared.
        case refuse
    }

    /// What the operator says of it.
    package var comment: String? {
        switch self {
        case .revoke(_, let comment), .release(let comment), .clear(let comment): comment
        }
    }

    /// What it does to a device of which this was said before.
    package func effect(on reason: RevocationReason?) -> Effect {
        switch (self, reason) {
        case (.revoke, nil): .revoke
        case (.revoke(let wanted, _), let reason?): wanted.replaces(reason) ? .restate : .nothing
        case (.release, nil), (.clear, nil): .nothing
        case (.release, let reason?): reason.isHold ? .release : .refuse
        case (.clear, let reason?): reason.isHold ? .refuse : .clear
        }
    }
}

/// A device's revocation, as operators look at it.
package struct RevocationEntry: Hashable, Sendable {
    package let reason: RevocationReason
    /// Since when; stays the first time when the reason changes.
    package let at: Date
    package let by: String
    package let comment: String?

    package init(reason: RevocationReason, at: Date, by: String, comment: String?) {
        self.reason = reason
        self.at = at
        self.by = by
        self.comment = comment
    }
}

/// What a fleet is told when a device is revoked or released: the content of a message on `Topics.revocations`. It says no
/// more than a CRL does, and proves nothing: who acts on it for good looks into a CRL, or asks.
package struct RevocationMessage: Hashable, Sendable {
    package enum State: String, Hashable, Sendable {
        case revoked, released
    }

    package static let type = "muster.revocation.v1"

    /// JSON, keys sorted: `type`, `fleet`, `device`, `state`, `reason` and `serial` (missing where there is none),
    /// `sequence`, `at` (RFC 3339, UTC).
    package let json: [UInt8]

    /// - Parameters:
    ///   - serial: Of the device's newest certificate, by which a list is known that has the device.
    ///   - sequence: Rises with each message; who has dealt with one and all before it says so by this number.
    package init(
        fleet: FleetName,
        device: DeviceID,
        state: State,
        reason: RevocationReason?,
        serial: [UInt8]? = nil,
        sequence: Int64,
        at: Date
    ) {
        // All of these are of characters that JSON takes as they are.
        func quoted(_ text: String) -> String { "\"\(text)\"" }
        let members = [
            ("at", quoted(at.formatted(.iso8601))), ("device", quoted(device.text)), ("fleet", quoted(fleet.text)),
            ("reason", reason.map { quoted($0.rawValue) }), ("sequence", "\(sequence)"),
            ("serial", serial.map { quoted(Hex.text($0)) }), ("state", quoted(state.rawValue)),
            ("type", quoted(Self.type)),
        ]
        let text = members.compactMap { key, value in value.map { "\"\(key)\":\($0)" } }.joined(separator: ",")
        json = Array("{\(text)}".utf8)
    }
}
