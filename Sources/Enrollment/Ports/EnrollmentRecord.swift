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
    /// The bootstrap credential and its anchor; nil for a renewal.
    package let bootstrap: Bootstrap?

    /// What is asked of a bootstrap credential.
    package struct Bootstrap: Hashable, Sendable {
        package let anchor: AnchorID
        package let credentialSHA256: [UInt8]
        /// When it is asked: the last hour is counted back from here.
        package let at: Date

        package init(anchor: AnchorID, credentialSHA256: [UInt8], at: Date) {
            self.anchor = anchor
            self.credentialSHA256 = credentialSHA256
            self.at = at
        }
    }

    package init(fleet: FleetID, device: DeviceID, publicKeySHA256: [UInt8], bootstrap: Bootstrap? = nil) {
        self.fleet = fleet
        self.device = device
        self.publicKeySHA256 = publicKeySHA256
        self.bootstrap = bootstrap
    }
}

/// What the record knows.
package struct EnrollmentSituation: Hashable, Sendable {
    /// The device, if it enrolled before.
    package let device: KnownDevice?
    /// True if the key in question belongs to another device, of any fleet (C-04).
    package let keyBelongsToAnother: Bool
    /// True if the key in question was revoked with its device; it is never certified again.
    package let keyIsRevoked: Bool
    /// What an operator announced of the device.
    package let registration: Registration?
    /// What an operator said, or is to say, of this device with this key.
    package let approval: ApprovalState?
    /// How the anchor and the credential stand; nil for a renewal.
    package let standing: BootstrapStanding?
    /// How many of the fleet's devices wait for approval; counted no further than `EnrollmentPolicy.pendingMax`, and
    /// only where the fleet's policy, the anchor's key changes or the device's revocation ask an operator.
    package let pending: Int64

    package init(
        device: KnownDevice?,
        keyBelongsToAnother: Bool,
        keyIsRevoked: Bool = false,
        registration: Registration? = nil,
        approval: ApprovalState? = nil,
        standing: BootstrapStanding? = nil,
        pending: Int64 = 0
    ) {
        self.device = device
        self.keyBelongsToAnother = keyBelongsToAnother
        self.keyIsRevoked = keyIsRevoked
        self.registration = registration
        self.approval = approval
        self.standing = standing
        self.pending = pending
    }
}

extension EnrollmentSituation {
    /// Nothing is known, of the device, of the key, of a registration, and nothing that closes the anchor or the
    /// credential to new devices.
    package static let blank = EnrollmentSituation(device: nil, keyBelongsToAnother: false)

    /// True if a decision on a new device's first enrollment, where no operator is asked, comes out as on `blank`, but for
    /// limits, which hold at the commit.
    package var isBlank: Bool {
        device == nil && !keyBelongsToAnother && !keyIsRevoked && registration == nil
            && standing?.anchor.isBlocked != true && standing?.credential.isBlocked != true
            && standing?.credentialLimits.isEmpty != false
    }
}

/// What an operator announced of a device, as far as a decision needs it.
package struct Registration: Hashable, Sendable {
    /// SHA-256 of the only public key (SubjectPublicKeyInfo) that may enroll as the device.
    package let publicKeySHA256: [UInt8]?
    /// SHA-256 of the only IDevID (DER) that may enroll as the device.
    package let idevidSHA256: [UInt8]?

    package init(publicKeySHA256: [UInt8]? = nil, idevidSHA256: [UInt8]? = nil) {
        self.publicKeySHA256 = publicKeySHA256
        self.idevidSHA256 = idevidSHA256
    }
}

/// An operator's word on a device that waits.
package enum ApprovalState: String, CaseIterable, Hashable, Sendable {
    case pending, approved, rejected
}

/// How an anchor and one of its credentials stand in the record.
package struct BootstrapStanding: Hashable, Sendable {
    /// What one of the two has let in, and whether it still may.
    package struct Count: Hashable, Sendable {
        package let isBlocked: Bool
        /// New devices in all.
        package let devices: Int64
        /// New devices within the last 60 whole minutes and the present one.
        package let devicesLastHour: Int64

        package init(isBlocked: Bool = false, devices: Int64 = 0, devicesLastHour: Int64 = 0) {
            self.isBlocked = isBlocked
            self.devices = devices
            self.devicesLastHour = devicesLastHour
        }
    }

    package let anchor: Count
    package let credential: Count
    /// The credential's own limits.
    package let credentialLimits: BootstrapLimits

    package init(anchor: Count, credential: Count, credentialLimits: BootstrapLimits = BootstrapLimits()) {
        self.anchor = anchor
        self.credential = credential
        self.credentialLimits = credentialLimits
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
    /// What operators did to it.
    package let standing: DeviceStanding

    package init(
        current: RecordedCertificate,
        renewableSerialNumber: [UInt8]?,
        enrolledAt: Date,
        currentIsUsed: Bool,
        idevidAnchor: AnchorID?,
        standing: DeviceStanding = DeviceStanding()
    ) {
        self.standing = standing
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

/// An attempt, and what it changes in the record beside.
package struct EnrollmentEntry: Sendable {
    /// What one attempt changes.
    package enum Effect: Sendable {
        case nothing
        case issue(Issuance)
        /// The device waits for approval; nothing changes if it waits already.
        case ask(ApprovalRequest)
        /// The credential is marked for the operator, with the attempt's reason.
        case mark
    }

    package let attempt: Attempt
    package let effect: Effect

    package init(attempt: Attempt, effect: Effect) {
        self.attempt = attempt
        self.effect = effect
    }

    package init(attempt: Attempt, issuance: Issuance?) {
        self.init(attempt: attempt, effect: issuance.map { .issue($0) } ?? .nothing)
    }

    package var issuance: Issuance? {
        if case .issue(let issuance) = effect { issuance } else { nil }
    }
}

/// What a device that waits asks of the operator; who it is stands in the attempt.
package struct ApprovalRequest: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Hashable, Sendable {
        /// The device is new.
        case first
        /// The device is enrolled and comes with a different key.
        case keyChange = "key-change"
        /// The device was revoked and comes with a new key.
        case reenrollment
    }

    package let device: DeviceID
    package let publicKeySHA256: [UInt8]
    package let kind: Kind

    package init(device: DeviceID, publicKeySHA256: [UInt8], kind: Kind) {
        self.device = device
        self.publicKeySHA256 = publicKeySHA256
        self.kind = kind
    }
}

/// A new device and the limits that let it in: they hold at the commit too, whatever else was let in meanwhile.
package struct Admission: Hashable, Sendable {
    package let anchor: AnchorID
    package let credentialSHA256: [UInt8]
    package let kind: Attempt.CredentialKind
    package let anchorLimits: BootstrapLimits
    /// The credential's own limits, and where those are silent, its anchor's.
    package let credentialLimits: BootstrapLimits

    package init(
        anchor: AnchorID,
        credentialSHA256: [UInt8],
        kind: Attempt.CredentialKind,
        anchorLimits: BootstrapLimits,
        credentialLimits: BootstrapLimits
    ) {
        self.anchor = anchor
        self.credentialSHA256 = credentialSHA256
        self.kind = kind
        self.anchorLimits = anchorLimits
        self.credentialLimits = credentialLimits
    }
}

/// A certificate that waits to be recorded before it may leave. One that the record's answer authorized is signed; one
/// that was foreseen is signed by the record, once that has authorized it.
package struct Issuance: Sendable {
    package let device: DeviceID
    package let issuer: IssuerID
    package let certificate: PreparedCertificate
    package let publicKeySHA256: [UInt8]
    /// The serial number of the device's current certificate as the decision saw it; nil if it had none. If the
    /// record no longer agrees, another enrollment of the device came first and this one is not recorded.
    package let replaces: [UInt8]?
    /// The serial number of the certificate that asked for this renewal; it may renew again until the new one was used.
    package let renewableSerialNumber: [UInt8]?
    /// The anchor of the IDevID that proved the device in this attempt.
    package let idevidAnchor: AnchorID?
    /// What let a new device in; nil for one that was in before.
    package let admission: Admission?
    /// How often operators had changed the device's standing as the decision saw it; if the record no longer agrees,
    /// this one is not recorded. One that is recorded ends the device's revocation.
    package let standingChanges: Int64
    /// True if the record was not asked. It is recorded only if the situation is `blank` then; its admission, which it has,
    /// names the anchor and the credential.
    package let isForeseen: Bool

    package init(
        device: DeviceID,
        issuer: IssuerID,
        certificate: PreparedCertificate,
        publicKeySHA256: [UInt8],
        replaces: [UInt8]?,
        renewableSerialNumber: [UInt8]?,
        idevidAnchor: AnchorID?,
        admission: Admission? = nil,
        standingChanges: Int64 = 0,
        isForeseen: Bool = false
    ) {
        self.standingChanges = standingChanges
        self.isForeseen = isForeseen
        self.admission = admission
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
    /// Another enrollment of the device, of the key, or under the same limit was recorded first, or an operator changed
    /// the device's standing, or it is not as was foreseen; nothing of this one was recorded.
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
