import Enrollment
import Foundation
import OperatorAPI
import PKI

/// What revoking many devices would come to, before anything is done.
extension OperatorOperations {
    func previewRevocations(_ call: OperatorCall) async throws -> OperatorAnswer {
        let order = try call.decode(API.RevocationPreviewOrder.self)
        let reason = try Self.reason(order.reason)
        var faults = FaultList()
        let group = faults.group(order)
        try faults.check()
        let preview = try await record.revocationPreviews.preview(
            of: group,
            fleet: fleet(call),
            for: reason,
            at: call.at
        )
        return try .json(API.RevocationPreview(preview, fleet: call.fleetName(), at: call.at))
    }
}

extension FaultList {
    mutating func group(_ order: API.RevocationPreviewOrder) -> RevocationGroup {
        var group = RevocationGroup()
        group.devices = order.devices.map { devices($0) }
        if let prefix = order.prefix {
            if !NamePrefix.isOne(prefix) { add("prefix", NamePrefix.rule) }
            group.prefix = prefix
        }
        group.credentialSHA256 = sha256(order.credential, at: "credential")
        for (path, name) in [("anchor", order.anchor), ("issuer", order.issuer)] {
            if let name, !AnchorName.isOne(name) { add(path, AnchorName.rule) }
        }
        (group.anchor, group.issuer) = (order.anchor, order.issuer)
        if let state = order.state {
            group.state = RevocationGroup.State(rawValue: state)
            let names = RevocationGroup.State.allCases.map(\.rawValue).joined(separator: ", ")
            if group.state == nil { add("state", "must be one of \(names)") }
        }
        group.enrolledFrom = time(order.enrolledFrom, at: "enrolledFrom")
        group.enrolledUntil = time(order.enrolledUntil, at: "enrolledUntil")
        group.usedFrom = time(order.usedFrom, at: "usedFrom")
        group.usedUntil = time(order.usedUntil, at: "usedUntil")
        group.seenFrom = time(order.seenFrom, at: "seenFrom")
        group.seenUntil = time(order.seenUntil, at: "seenUntil")
        return group
    }

    private mutating func devices(_ names: [String]) -> [DeviceID] {
        if names.count > RevocationGroup.devicesMax {
            add("devices", "must be at most \(RevocationGroup.devicesMax) names")
            return []
        }
        var devices: Set<DeviceID> = []
        for (place, name) in names.enumerated() {
            if let device = DeviceID(name) {
                devices.insert(device)
            } else {
                add("devices[\(place)]", "must be 1 to 40 of A-Z a-z 0-9 . _ -")
            }
        }
        return devices.sorted { $0.text < $1.text }
    }
}

extension API.RevocationPreview {
    init(_ preview: RevocationPreview, fleet: FleetName, at now: Date) {
        let lately = RevocationPreview.lately(at: now)
        func devices(_ devices: [RevocationPreview.Device]) -> [Device] {
            devices.map { Device(device: $0.device, seenAt: $0.seenAt, isSeenLately: $0.seenAt >= lately) }
        }
        self.init(
            devices: preview.devices,
            already: preview.already,
            valid: preview.valid,
            seenLately: Lately(
                withinSeconds: RevocationPreview.latelyMax.components.seconds,
                devices: preview.lately,
                latest: devices(preview.latest)
            ),
            sample: devices(preview.sample),
            credentials: preview.credentials.map { Credential($0, fleet: fleet) },
            furtherCredentials: preview.furtherCredentials,
            unknown: preview.unknown,
            unknownNames: preview.unknownNames
        )
    }
}

extension API.RevocationPreview.Credential {
    fileprivate init(_ credential: RevocationPreview.Credential, fleet: FleetName) {
        self.init(
            sha256: Hex.text(credential.sha256),
            kind: credential.kind?.rawValue,
            subject: credential.subject,
            anchor: credential.anchor,
            group: .init(active: credential.group.active, revoked: credential.group.revoked),
            others: .init(active: credential.others.active, revoked: credential.others.revoked),
            otherFleets: credential.elsewhere.map { .init(fleet: $0.fleet, devices: $0.devices) },
            isOpen: credential.closed == nil,
            refusal: credential.closed.map { .init(reason: $0.reason.rawValue, detail: $0.detail) },
            command: credential.closingCommand(in: fleet)
        )
    }
}
