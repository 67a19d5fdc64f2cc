import Enrollment
import Foundation
import OperatorAPI
import PKI

/// Revocations beyond the limit by the hour, which a second operator approves.
extension OperatorOperations {
    func requestRevocations(_ call: OperatorCall) async throws -> OperatorAnswer {
        let order = try call.decode(API.RevocationRequestOrder.self)
        let reason = try Self.reason(order.reason)
        let comment = try call.comment(order.comment)
        let outcome = try await record.revocationRequests.ask(
            for: Self.devices(order.devices),
            of: fleet(call),
            reason: reason,
            comment: comment,
            actor: call.actor,
            at: call.at
        )
        switch outcome {
        case .asked(let entry): return try .json(API.RevocationRequest(entry, at: call.at), status: 201)
        case .unknown(let device):
            throw API.Problem.notFound(
                "device-unknown",
                "no device \(device) has enrolled in the fleet \(try call.fleetName())"
            )
        }
    }

    func listRevocationRequests(_ call: OperatorCall) async throws -> OperatorAnswer {
        let limit = try call.query.limit()
        let found = try await record.revocationRequests.requests(
            of: fleet(call),
            after: ListingCursor.read(call)?.number,
            limit: limit + 1
        )
        return try ListingPage(found, limit: limit)
            .answer({ API.RevocationRequest($0, at: call.at) }) { ListingCursor(call, number: $0.id) }
    }

    func getRevocationRequest(_ call: OperatorCall) async throws -> OperatorAnswer {
        let id = try call.revocationRequest()
        guard let entry = try await record.revocationRequests.request(id, of: fleet(call)) else {
            throw try noRequest(call)
        }
        return try .json(API.RevocationRequest(entry, at: call.at))
    }

    func approveRevocations(_ call: OperatorCall) async throws -> OperatorAnswer {
        let id = try call.revocationRequest()
        let outcome = try await record.revocationRequests.approve(id, of: fleet(call), actor: call.actor, at: call.at)
        switch outcome {
        case nil: throw try noRequest(call)
        case .approved(let entry): return try .json(API.RevocationRequest(entry, at: call.at))
        case .sameOperator:
            throw API.Problem.conflict(
                "same-operator",
                "\(call.caller.name) asked for it; another operator has to approve it"
            )
        case .expired: throw API.Problem.conflict("request-expired", "its time is over; ask again")
        }
    }

    private static func devices(_ names: [String]) throws(API.Problem) -> [DeviceID] {
        guard (1...RevocationRequestEntry.devicesMax).contains(names.count) else {
            throw API.Problem.invalid([
                API.Problem.Fault(at: "devices", reason: "must be 1 to \(RevocationRequestEntry.devicesMax) names")
            ])
        }
        var devices: [DeviceID] = []
        for (place, name) in names.enumerated() {
            guard let device = DeviceID(name) else {
                throw API.Problem.invalid([
                    API.Problem.Fault(at: "devices[\(place)]", reason: "must be 1 to 40 of A-Z a-z 0-9 . _ -")
                ])
            }
            devices.append(device)
        }
        return devices
    }

    private func noRequest(_ call: OperatorCall) throws -> API.Problem {
        .notFound(
            "request-unknown",
            "nobody asked to revoke devices of the fleet \(try call.fleetName()) under number \(try call.revocationRequest())"
        )
    }
}

extension API.RevocationRequest {
    init(_ entry: RevocationRequestEntry, at now: Date) {
        self.init(
            id: entry.id,
            state: entry.state(at: now).rawValue,
            reason: entry.reason,
            comment: entry.comment,
            devices: entry.devices,
            left: entry.left,
            sample: entry.sample,
            requestedAt: entry.requestedAt,
            requestedBy: entry.requestedBy,
            approvedAt: entry.approvedAt,
            approvedBy: entry.approvedBy,
            expiresAt: entry.expiresAt
        )
    }
}
