package import Foundation
package import PKI

/// What the enroll and renew use cases ask of the record, and tell it.
package protocol EnrollmentRecord: Sendable {
    /// What is known about a device and a key: one round trip.
    func situation(of question: EnrollmentQuestion) async throws(RecordError) -> EnrollmentSituation

    /// Writes an attempt, and with it what was issued, in one transaction. When it returns `.recorded`, it is durable.
    func commit(_ entry: EnrollmentEntry) async throws(RecordError) -> CommitOutcome
}

/// What a decision needs to know.
package struct EnrollmentQuestion: Hashable, Sendable {
    package let fleet: FleetID
    package let device: DeviceID
    package let publicKeySHA256: [UInt8]

    package init(fleet: FleetID, device: DeviceID, publicKeySHA256: [UInt8]) {
        self.fleet = fleet
        self.device = device
        self.publicKeySHA256 = publicKeySHA256
    }
}

/// What the record knows.
package struct EnrollmentSituation: Hashable, Sendable {
    /// The device, if it enrolled before.
    package let device: KnownDevice?
    /// True if the key in question belongs to another device, of any fleet (C-04).
    package let keyBelongsToAnother: Bool

    package init(device: KnownDevice?, keyBelongsToAnother: Bool) {
        self.device = device
        self.keyBelongsToAnother = keyBelongsToAnother
    }
}

/// A device that has enrolled.
package struct KnownDevice: Hashable, Sendable {
    package let current: RecordedCertificate
    /// The certificate that the current one renewed (EST-36).
    package let renewableSerialNumber: [UInt8]?
    /// When the current certificate was issued.
    package let enrolledAt: Date
    /// True once the current certificate was used.
    package let currentIsUsed: Bool
    /// The anchor of the IDevID that last proved this device; nil if only claims did.
    package let idevidAnchor: AnchorID?

    package init(
        current: RecordedCertificate,
        renewableSerialNumber: [UInt8]?,
        enrolledAt: Date,
        currentIsUsed: Bool,
        idevidAnchor: AnchorID?
    ) {
        self.current = current
        self.renewableSerialNumber = renewableSerialNumber
        self.enrolledAt = enrolledAt
        self.currentIsUsed = currentIsUsed
        self.idevidAnchor = idevidAnchor
    }
}

/// A certificate in the record.
package struct RecordedCertificate: Hashable, Sendable {
    package let issuer: IssuerID
    package let serialNumber: [UInt8]
    package let publicKeySHA256: [UInt8]
    package let notBefore: Date
    package let notAfter: Date
    package let isRevoked: Bool
    package let der: [UInt8]

    package init(
        issuer: IssuerID,
        serialNumber: [UInt8],
        publicKeySHA256: [UInt8],
        notBefore: Date,
        notAfter: Date,
        isRevoked: Bool,
        der: [UInt8]
    ) {
        self.issuer = issuer
        self.serialNumber = serialNumber
        self.publicKeySHA256 = publicKeySHA256
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.isRevoked = isRevoked
        self.der = der
    }
}

/// An attempt, and what it issued if anything.
package struct EnrollmentEntry: Sendable {
    package let attempt: Attempt
    package let issuance: Issuance?

    package init(attempt: Attempt, issuance: Issuance?) {
        self.attempt = attempt
        self.issuance = issuance
    }
}

/// A certificate that was signed and waits to be recorded before it may leave.
package struct Issuance: Sendable {
    package let device: DeviceID
    package let issuer: IssuerID
    package let certificate: IssuedCertificate
    package let publicKeySHA256: [UInt8]
    /// The serial number of the device's current certificate as the decision saw it; nil if it had none. If the
    /// record no longer agrees, another enrollment of the device came first and this one is not recorded.
    package let replaces: [UInt8]?
    /// The serial number of the certificate that asked for this renewal; it may renew again until the new one was used.
    package let renewableSerialNumber: [UInt8]?
    /// The anchor of the IDevID that proved the device in this attempt.
    package let idevidAnchor: AnchorID?

    package init(
        device: DeviceID,
        issuer: IssuerID,
        certificate: IssuedCertificate,
        publicKeySHA256: [UInt8],
        replaces: [UInt8]?,
        renewableSerialNumber: [UInt8]?,
        idevidAnchor: AnchorID?
    ) {
        self.device = device
        self.issuer = issuer
        self.certificate = certificate
        self.publicKeySHA256 = publicKeySHA256
        self.replaces = replaces
        self.renewableSerialNumber = renewableSerialNumber
        self.idevidAnchor = idevidAnchor
    }
}

/// What became of an entry.
package enum CommitOutcome: Hashable, Sendable {
    case recorded
    /// Another enrollment of the device, or of the key, was recorded first; nothing of this one was.
    case lostRace
}

/// Why the record did not answer.
package enum RecordError: Error, Hashable, CustomStringConvertible {
    /// It cannot be reached, or does not accept writes now.
    case unavailable(String)
    /// Too much waits for it already.
    case overloaded
    /// It answered something that must not be: a fault of ours or of the schema.
    case broken(String)

    package var description: String {
        switch self {
        case .unavailable(let why): "the database is unavailable: \(why)"
        case .overloaded: "too many enrollments wait for the database"
        case .broken(let why): "the database answered what it must not: \(why)"
        }
    }
}
