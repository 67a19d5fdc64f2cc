import Enrollment
import Foundation
import OperatorAPI
import PKI

/// Devices and their certificates.
extension OperatorOperations {
    func listDevices(_ call: OperatorCall) async throws -> OperatorAnswer {
        let limit = try call.query.limit()
        let selection = try DeviceSelection(call.query)
        let after = try ListingCursor.read(call).flatMap { cursor in
            cursor.text.map { DevicePosition(time: cursor.date, device: $0) }
        }
        let found = try await record.devices.devices(of: fleet(call), selection, after: after, limit: limit + 1)
        return try ListingPage(found, limit: limit).answer({ API.Device($0, at: call.at) }) { last in
            let time: Date? =
                switch selection {
                case .enrolled: last.firstEnrolledAt
                case .expiring: last.notAfter
                case .named, .credential, .key, .serialNumber: nil
                }
            return ListingCursor(call, text: last.device, time: time)
        }
    }

    func getDevice(_ call: OperatorCall) async throws -> OperatorAnswer {
        let device = try call.device()
        guard let entry = try await record.devices.device(device, of: fleet(call)) else { throw try noDevice(call) }
        return try .json(API.Device(entry, at: call.at))
    }

    func listDeviceCertificates(_ call: OperatorCall) async throws -> OperatorAnswer {
        let device = try call.device()
        let limit = try call.query.limit()
        let entries = try await record.devices.certificates(of: device, fleet: fleet(call), limit: limit)
        guard !entries.isEmpty else { throw try noDevice(call) }
        return try .json(API.Page(items: entries.map(API.Certificate.init), next: nil))
    }

    func revokeDevice(_ call: OperatorCall) async throws -> OperatorAnswer {
        let order = try call.body.isEmpty ? API.RevocationOrder() : call.decode(API.RevocationOrder.self)
        let reason = try Self.reason(order.reason)
        return try await changeStanding(call, .revoke(reason, comment: call.comment(order.comment)))
    }

    static func reason(_ text: String?) throws(API.Problem) -> RevocationReason {
        guard let reason = RevocationReason(rawValue: text ?? RevocationReason.unspecified.rawValue) else {
            let names = RevocationReason.allCases.map(\.rawValue).joined(separator: ", ")
            throw API.Problem.invalid([API.Problem.Fault(at: "reason", reason: "must be one of \(names)")])
        }
        return reason
    }

    func releaseDevice(_ call: OperatorCall) async throws -> OperatorAnswer {
        try await changeStanding(call, .release(comment: call.comment()))
    }

    func clearDevice(_ call: OperatorCall) async throws -> OperatorAnswer {
        try await changeStanding(call, .clear(comment: call.comment()))
    }

    private func changeStanding(_ call: OperatorCall, _ change: StandingChange) async throws -> OperatorAnswer {
        let device = try call.device()
        let outcome = try await record.revocations.change(
            device,
            of: fleet(call),
            change,
            actor: call.actor,
            at: call.at
        )
        switch outcome {
        case nil: throw try noDevice(call)
        case .done(let entry): return try .json(API.Device(entry, at: call.at))
        case .secondOperatorNeeded:
            throw API.Problem.conflict(
                "second-operator-needed",
                "\(call.caller.name) has revoked as many devices in this hour as one operator may; a second one has to approve more"
            )
        case .refused(let entry):
            throw entry.revocation?.reason.isHold == true
                ? API.Problem.conflict(
                    "device-held",
                    "the device \(device) is on hold: release it, or revoke it for good"
                )
                : API.Problem.conflict(
                    "device-not-held",
                    "the device \(device) was revoked for good: clear it, so that it may enroll with a new key"
                )
        }
    }

    private func noDevice(_ call: OperatorCall) throws -> API.Problem {
        .notFound(
            "device-unknown",
            "no device \(try call.device()) has enrolled in the fleet \(try call.fleetName())"
        )
    }
}

extension DeviceSelection {
    /// Exactly one selection; without any, all by name.
    init(_ query: OperatorQuery) throws {
        let groups = [
            ["prefix"], ["enrolledFrom", "enrolledUntil"], ["expiringFrom", "expiringUntil"], ["credential"], ["key"],
            ["serial"],
        ].filter { group in group.contains { query.values[$0] != nil } }
        guard groups.count <= 1 else {
            throw API.Problem.parameter(
                groups[1][0],
                "cannot stand beside \(groups[0][0]); devices are selected in one way at a time"
            )
        }
        if let credential = try query.sha256("credential") {
            self = .credential(credential)
        } else if let key = try query.sha256("key") {
            self = .key(key)
        } else if let serial = try query.serialNumber("serial") {
            self = .serialNumber(serial)
        } else if groups.first?.first == "enrolledFrom" {
            self = .enrolled(from: try query.time("enrolledFrom"), until: try query.time("enrolledUntil"))
        } else if groups.first?.first == "expiringFrom" {
            self = .expiring(from: try query.time("expiringFrom"), until: try query.time("expiringUntil"))
        } else {
            self = .named(prefix: try query.prefix())
        }
    }
}

extension API.Device {
    init(_ entry: DeviceEntry, at now: Date) {
        self.init(
            device: entry.device,
            state: Self.state(of: entry, at: now),
            firstEnrolledAt: entry.firstEnrolledAt,
            enrolledAt: entry.enrolledAt,
            issuer: entry.issuer,
            serialNumber: Hex.text(entry.serialNumber),
            keySHA256: Hex.text(entry.publicKeySHA256),
            notAfter: entry.notAfter,
            usedAt: entry.usedAt,
            seenAt: entry.seenAt,
            firstAnchor: entry.firstAnchor,
            firstCredentialSHA256: entry.firstCredentialSHA256.map { Hex.text($0) },
            trustStoreVersion: entry.trustStoreVersion,
            trustStoreAcknowledgedAt: entry.trustStoreAcknowledgedAt,
            revocation: entry.revocation.map {
                API.Revocation(reason: $0.reason.rawValue, at: $0.at, by: $0.by, comment: $0.comment)
            }
        )
    }

    private static func state(of entry: DeviceEntry, at now: Date) -> String {
        if let revocation = entry.revocation { return revocation.reason.isHold ? "held" : "revoked" }
        if entry.isRevoked { return "cleared" }
        return now > entry.notAfter ? "expired" : "valid"
    }
}

extension API.Certificate {
    init(_ entry: CertificateEntry) {
        self.init(
            issuer: entry.issuer,
            serialNumber: Hex.text(entry.serialNumber),
            keySHA256: Hex.text(entry.publicKeySHA256),
            notBefore: entry.notBefore,
            notAfter: entry.notAfter,
            issuedAt: entry.issuedAt,
            status: entry.status,
            pem: OperatorOperations.pem(entry.der)
        )
    }
}
