import Enrollment
import Foundation
import PKI
import TestKit

/// An entry as a test wants it: an accepted enrollment of a device by its IDevID.
struct EntryDraft {
    let world: TestFleet
    var device = "meter-1"
    var key: DeviceKey
    var fleet: FleetID
    var at = TestClock.start
    var replaces: [UInt8]?
    var renewable: [UInt8]?
    var anchor: AnchorID? = TestFleet.manufacturerID
    var source = "192.0.2.7"
    var credential = [UInt8](repeating: 7, count: 32)
    /// What lets the device in, as the fleet's anchors say; nil for one that is in, and for tests that count nothing.
    var admission: Admission?
    var standingChanges: Int64 = 0
    /// True for one that the record was not asked about; its certificate is not signed then.
    var isForeseen = false

    init(_ world: TestFleet, device: String = "meter-1", key: DeviceKey? = nil) throws {
        self.world = world
        self.device = device
        self.key = try key ?? .make()
        fleet = world.fleet.id
    }

    var attempt: Attempt {
        Attempt(
            at: at,
            requestID: UUID(),
            fleet: fleet,
            fleetName: world.fleet.name,
            operation: .simpleEnroll,
            source: source
        )
    }

    /// With a certificate, made anew, and signed unless it was foreseen.
    func issuing() throws -> EnrollmentEntry {
        let names = try world.names(device)
        let certificate = try world.prepared(for: device, key: key.publicKey, at: at)
        if !isForeseen { _ = try certificate.signed() }
        var attempt = attempt
        attempt.device = names.device
        attempt.credentialKind = admission?.kind ?? .idevid
        attempt.credentialSHA256 = credential
        attempt.credentialSubject = "serialNumber=\(device)"
        attempt.anchor = admission?.anchor ?? anchor
        attempt.publicKeySHA256 = try key.sha256
        attempt.stage = .issue
        attempt.rule = "open-first"
        attempt.outcome = .issued
        attempt.issuer = world.fleet.record.issuerID
        attempt.serialNumber = certificate.serialNumber
        return EnrollmentEntry(
            attempt: attempt,
            issuance: Issuance(
                device: names.device,
                issuer: world.fleet.record.issuerID,
                certificate: certificate,
                publicKeySHA256: try key.sha256,
                replaces: replaces,
                renewableSerialNumber: renewable,
                idevidAnchor: admission?.kind == .claim ? nil : anchor,
                admission: admission,
                standingChanges: standingChanges,
                isForeseen: isForeseen
            )
        )
    }

    /// Refused, with nothing known of the client.
    func refused() -> EnrollmentEntry {
        var attempt = attempt
        attempt.rule = RefusalReason.clientCertificateRequired.rawValue
        attempt.refusal = Refusal(.clientCertificateRequired, "connect with a certificate")
        return EnrollmentEntry(attempt: attempt, issuance: nil)
    }

    /// Waiting for an operator's word.
    func asking(_ kind: ApprovalRequest.Kind = .first) throws -> EnrollmentEntry {
        var attempt = attempt
        attempt.device = try world.names(device).device
        attempt.credentialKind = .idevid
        attempt.credentialSHA256 = credential
        attempt.credentialSubject = "serialNumber=\(device)"
        attempt.anchor = anchor
        attempt.publicKeySHA256 = try key.sha256
        attempt.stage = .policy
        attempt.rule = "approval-first"
        attempt.outcome = .pending
        let request = ApprovalRequest(
            device: try world.names(device).device,
            publicKeySHA256: try key.sha256,
            kind: kind
        )
        return EnrollmentEntry(attempt: attempt, effect: .ask(request))
    }

    /// Refused at a limit, which marks the credential.
    func marking(_ reason: RefusalReason = .credentialDeviceLimit) throws -> EnrollmentEntry {
        var attempt = attempt
        attempt.device = try world.names(device).device
        attempt.credentialKind = .claim
        attempt.credentialSHA256 = credential
        attempt.credentialSubject = "CN=batch"
        attempt.anchor = TestFleet.claimsID
        attempt.stage = .policy
        attempt.rule = reason.rawValue
        attempt.refusal = Refusal(reason, "the limit is reached")
        return EnrollmentEntry(attempt: attempt, effect: .mark)
    }

    /// Let in by a claim that a batch shares.
    func byClaim(
        _ credential: UInt8 = 7,
        anchorLimits: BootstrapLimits = BootstrapLimits(),
        credentialLimits: BootstrapLimits = BootstrapLimits()
    ) -> EntryDraft {
        byCredential(.claim, TestFleet.claimsID, credential, anchorLimits, credentialLimits)
    }

    /// Let in by an IDevID.
    func byIDevID(
        _ credential: UInt8 = 7,
        anchorLimits: BootstrapLimits = BootstrapLimits(),
        credentialLimits: BootstrapLimits = BootstrapLimits()
    ) -> EntryDraft {
        byCredential(.idevid, TestFleet.manufacturerID, credential, anchorLimits, credentialLimits)
    }

    private func byCredential(
        _ kind: Attempt.CredentialKind,
        _ anchor: AnchorID,
        _ credential: UInt8,
        _ anchorLimits: BootstrapLimits,
        _ credentialLimits: BootstrapLimits
    ) -> EntryDraft {
        var draft = self
        draft.credential = [UInt8](repeating: credential, count: 32)
        draft.admission = Admission(
            anchor: anchor,
            credentialSHA256: draft.credential,
            kind: kind,
            anchorLimits: anchorLimits,
            credentialLimits: credentialLimits
        )
        return draft
    }

    /// What the use case asks before it decides on a bootstrap credential.
    func bootstrapQuestion(at: Date? = nil) throws -> EnrollmentQuestion {
        EnrollmentQuestion(
            fleet: fleet,
            device: try world.names(device).device,
            publicKeySHA256: try key.sha256,
            bootstrap: .init(
                anchor: admission?.anchor ?? TestFleet.manufacturerID,
                credentialSHA256: credential,
                at: at ?? self.at
            )
        )
    }

    /// What the use case asks before it decides on this entry.
    var question: EnrollmentQuestion {
        get throws {
            EnrollmentQuestion(
                fleet: fleet,
                device: try world.names(device).device,
                publicKeySHA256: try key.sha256
            )
        }
    }
}
