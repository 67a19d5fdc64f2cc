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

    /// With a certificate, signed anew.
    func issuing() throws -> EnrollmentEntry {
        let names = try world.names(device)
        let certificate = try world.certificate(for: device, key: key.publicKey, at: at)
        var attempt = attempt
        attempt.device = names.device
        attempt.credentialKind = .idevid
        attempt.credentialSHA256 = [UInt8](repeating: 7, count: 32)
        attempt.credentialSubject = "serialNumber=\(device)"
        attempt.anchor = anchor
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
                idevidAnchor: anchor
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
