package import Foundation
package import PKI

/// Something that programs outside are told of by a webhook. Its body is made when it happens and never changes: the
/// same bytes are sent again until they are taken.
package struct WebhookEvent: Hashable, Sendable {
    /// What may happen; the raw value is the body's `type`.
    package enum Kind: String, CaseIterable, Hashable, Sendable {
        /// A certificate was issued, for the first time or as a renewal.
        case deviceEnrolled = "device.enrolled"
        case enrollmentRefused = "enrollment.refused"
        /// Revoked for good, or for another reason than before.
        case deviceRevoked = "device.revoked"
        case deviceHeld = "device.held"
        case deviceReleased = "device.released"
        /// A bootstrap credential came up against a limit.
        case credentialMarked = "credential.marked"
    }

    /// The body's `type` of what an operator sends to see whether it arrives.
    package static let typeOfTest = "muster.test"

    package let kind: Kind
    package let fleet: FleetName
    /// What it is about. Events of one subject are sent one after the other, in the order in which they happened.
    package let subject: String
    package let at: Date
    /// JSON, keys sorted within each object: `data`, `timestamp` (RFC 3339, UTC), `type`.
    package let body: [UInt8]

    /// What an attempt tells by itself; nil where nobody is told: it waits for approval, or got the certificate again.
    package init?(_ entry: EnrollmentEntry) {
        let attempt = entry.attempt
        var data = Self.data(of: attempt)
        switch (attempt.outcome, entry.issuance) {
        case (.issued, let issuance?):
            data["notAfter"] = Self.time(issuance.certificate.notAfter)
            data["serial"] = Hex.text(issuance.certificate.serialNumber)
            self.init(.deviceEnrolled, fleet: attempt.fleetName, device: issuance.device, at: attempt.at, data)
        case (.refused, _):
            data["detail"] = attempt.refusal?.detail
            data["reason"] = attempt.refusal?.reason.rawValue
            self.init(
                .enrollmentRefused,
                fleet: attempt.fleetName,
                subject: attempt.device.map { DeviceNames(device: $0, fleet: attempt.fleetName).commonName }
                    ?? "request \(attempt.requestID)",
                at: attempt.at,
                data
            )
        case (.issued, nil), (.repeated, _), (.pending, _): return nil
        }
    }

    /// A credential was marked by an attempt that was refused at a limit.
    package init(marking credential: [UInt8], by attempt: Attempt) {
        var data = Self.data(of: attempt)
        data["reason"] = attempt.refusal?.reason.rawValue
        self.init(
            .credentialMarked,
            fleet: attempt.fleetName,
            subject: "credential \(Hex.text(credential))@\(attempt.fleetName)",
            at: attempt.at,
            data
        )
    }

    /// An operator changed a device's standing; nil where nobody is told.
    package init?(
        _ change: StandingChange,
        effect: StandingChange.Effect,
        of device: DeviceID,
        fleet: FleetName,
        actor: String,
        at: Date
    ) {
        let kind: Kind
        var data = ["actor": actor, "device": device.text, "fleet": fleet.text]
        data["comment"] = change.comment
        switch (effect, change) {
        case (.revoke, .revoke(let reason, _)), (.restate, .revoke(let reason, _)):
            kind = reason.isHold ? .deviceHeld : .deviceRevoked
            data["reason"] = reason.rawValue
        case (.release, _): kind = .deviceReleased
        case (.revoke, _), (.restate, _), (.clear, _), (.nothing, _), (.refuse, _): return nil
        }
        self.init(kind, fleet: fleet, device: device, at: at, data)
    }

    private init(_ kind: Kind, fleet: FleetName, device: DeviceID, at: Date, _ data: [String: String]) {
        let names = DeviceNames(device: device, fleet: fleet)
        self.init(kind, fleet: fleet, subject: names.commonName, at: at, data)
    }

    private init(_ kind: Kind, fleet: FleetName, subject: String, at: Date, _ data: [String: String]) {
        self.kind = kind
        self.fleet = fleet
        self.subject = subject
        self.at = at
        body = Self.body(type: kind.rawValue, at: at, data)
    }

    /// The bytes of a body (Standard Webhooks: `type`, `timestamp`, `data`).
    package static func body(type: String, at: Date, _ data: [String: String]) -> [UInt8] {
        var json: [UInt8] = []
        json += #"{"data":{"#.utf8
        for (place, member) in data.sorted(by: { $0.key < $1.key }).enumerated() {
            if place > 0 { json += ",".utf8 }
            quote(member.key, to: &json)
            json += ":".utf8
            quote(member.value, to: &json)
        }
        json += #"},"timestamp":"#.utf8
        quote(time(at), to: &json)
        json += #","type":"#.utf8
        quote(type, to: &json)
        json += "}".utf8
        return json
    }

    private static func data(of attempt: Attempt) -> [String: String] {
        var data = [
            "fleet": attempt.fleetName.text, "operation": attempt.operation.rawValue,
            "requestID": attempt.requestID.text, "rule": attempt.rule,
        ]
        data["credential"] = attempt.credentialSHA256.map { Hex.text($0) }
        data["credentialKind"] = attempt.credentialKind?.rawValue
        data["device"] = attempt.device?.text
        return data
    }

    private static func time(_ date: Date) -> String { date.formatted(.iso8601) }

    /// A JSON string (RFC 8259 section 7). Comments and details are of any characters.
    private static func quote(_ text: String, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        for octet in text.utf8 {
            switch octet {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): json += [UInt8(ascii: "\\"), octet]
            case 0..<0x20, 0x7F: json += #"\u00\#(Hex.text([octet]))"#.utf8
            default: json.append(octet)
            }
        }
        json.append(UInt8(ascii: "\""))
    }
}
