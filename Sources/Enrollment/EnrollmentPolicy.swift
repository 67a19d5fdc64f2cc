package import Foundation

/// Who may enroll.
package enum EnrollmentPolicy: String, CaseIterable, Hashable, Sendable {
    /// Every device with an accepted bootstrap credential.
    case open
    /// Of those, the devices that an operator registered.
    case allowlist
    /// Of those, the devices that an operator approves, one by one, when they come.
    case approval

    /// How long a device that waits for approval is asked to wait, unless its fleet says otherwise.
    package static let approvalRetryStandard: Duration = .seconds(60)
    /// The shortest and the longest such wait, in seconds.
    package static let approvalRetrySeconds: ClosedRange<Int64> = 1...86_400
    /// So many devices of a fleet may wait for approval at once: whoever holds a claim could fill the record otherwise.
    package static let pendingMax: Int64 = 10_000
}

/// What happens to a device that has an operational certificate and comes with a different key.
package enum KeyChangeRule: String, CaseIterable, Hashable, Sendable {
    case refuse, approve, replace
}

/// What a bootstrap credential or an anchor may let in. What is nil is not limited.
package struct BootstrapLimits: Hashable, Sendable {
    /// Devices in all.
    package var devicesMax: Int64?
    /// New devices in any 60 minutes, counted by whole minutes.
    package var devicesPerHour: Int64?
    /// The window of time in which it is accepted.
    package var validFrom: Date?
    package var validUntil: Date?

    package init(
        devicesMax: Int64? = nil,
        devicesPerHour: Int64? = nil,
        validFrom: Date? = nil,
        validUntil: Date? = nil
    ) {
        self.devicesMax = devicesMax
        self.devicesPerHour = devicesPerHour
        self.validFrom = validFrom
        self.validUntil = validUntil
    }

    /// True if nothing is limited.
    package var isEmpty: Bool { self == BootstrapLimits() }

    /// These limits, and where they are silent, those of `other`.
    package func over(_ other: BootstrapLimits) -> BootstrapLimits {
        BootstrapLimits(
            devicesMax: devicesMax ?? other.devicesMax,
            devicesPerHour: devicesPerHour ?? other.devicesPerHour,
            validFrom: validFrom ?? other.validFrom,
            validUntil: validUntil ?? other.validUntil
        )
    }

    func isOpen(at now: Date) -> Bool {
        validFrom.map { now >= $0 } ?? true && validUntil.map { now < $0 } ?? true
    }
}

/// The limits of an anchor.
package struct AnchorLimits: Hashable, Sendable {
    /// Of all its credentials together.
    package var whole: BootstrapLimits
    /// Of each of its credentials that has none of its own.
    package var credential: BootstrapLimits

    package init(whole: BootstrapLimits = BootstrapLimits(), credential: BootstrapLimits = BootstrapLimits()) {
        self.whole = whole
        self.credential = credential
    }
}
