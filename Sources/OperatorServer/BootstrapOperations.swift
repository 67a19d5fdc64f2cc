import Enrollment
import Foundation
import OperatorAPI
import PKI
import SwiftASN1
import X509

/// Anchors and bootstrap credentials.
extension OperatorOperations {
    func listAnchors(_ call: OperatorCall) async throws -> OperatorAnswer {
        let entries = try await record.bootstrap.anchors(of: fleet(call))
        return try ListingPage(entries, of: call, by: \.name)
            .answer(API.Anchor.init) { ListingCursor(call, text: $0.name) }
    }

    func setBlock(ofAnchor call: OperatorCall, isBlocked: Bool) async throws -> OperatorAnswer {
        let name = try call.anchor()
        let comment = try call.comment()
        let entry = try await record.bootstrap.setBlock(
            ofAnchor: name,
            fleet: fleet(call),
            isBlocked: isBlocked,
            comment: isBlocked ? comment : nil,
            actor: call.actor,
            at: call.at
        )
        guard let entry else {
            throw API.Problem.notFound("anchor-unknown", "the fleet \(try call.fleetName()) has no anchor \(name)")
        }
        return try .json(API.Anchor(entry))
    }

    func listCredentials(_ call: OperatorCall) async throws -> OperatorAnswer {
        let limit = try call.query.limit()
        let selection = try call.query.choice("state", CredentialSelection.self) ?? .all
        let after = try ListingCursor.read(call)?.text.flatMap(HexText.sha256)
        let found = try await record.bootstrap.credentials(of: fleet(call), selection, after: after, limit: limit + 1)
        return try ListingPage(found, limit: limit)
            .answer(API.Credential.init) { ListingCursor(call, text: Hex.text($0.sha256)) }
    }

    func getCredential(_ call: OperatorCall) async throws -> OperatorAnswer {
        let sha256 = try call.credential()
        guard let entry = try await record.bootstrap.credential(sha256, of: fleet(call)) else {
            throw API.Problem.notFound(
                "credential-unknown",
                "the fleet \(try call.fleetName()) has neither seen nor blocked nor limited this credential"
            )
        }
        return try .json(API.Credential(entry))
    }

    func unblockCredential(_ call: OperatorCall) async throws -> OperatorAnswer {
        _ = try call.comment()
        return try await change(call, .unblock)
    }

    func clearCredential(_ call: OperatorCall) async throws -> OperatorAnswer {
        _ = try call.comment()
        return try await change(call, .clear)
    }

    func limitCredential(_ call: OperatorCall) async throws -> OperatorAnswer {
        var faults = FaultList()
        let limits = faults.limits(try call.decode(API.Limits.self), at: "")
        try faults.check()
        return try await change(call, .limit(limits))
    }

    func change(_ call: OperatorCall, _ change: CredentialChange) async throws -> OperatorAnswer {
        let entry = try await record.bootstrap.change(
            call.credential(),
            of: fleet(call),
            change,
            actor: call.actor,
            at: call.at
        )
        return try .json(API.Credential(entry))
    }
}

extension API.Anchor {
    init(_ entry: AnchorEntry) throws {
        let certificate = try X509.Certificate(derEncoded: entry.certificate)
        self.init(
            description: FleetDescription.Anchor(
                name: entry.name,
                certificate: entry.certificate,
                rule: entry.rule,
                keyChange: entry.keyChange,
                limits: entry.limits
            ),
            subject: "\(certificate.subject)",
            notAfter: certificate.notValidAfter,
            devices: entry.devices,
            devicesLastHour: entry.devicesLastHour,
            block: entry.block.map(API.Block.init)
        )
    }
}

extension API.Block {
    init(_ entry: BlockEntry) { self.init(at: entry.at, by: entry.by, comment: entry.comment) }
}

extension API.Credential {
    init(_ entry: CredentialEntry) {
        self.init(
            sha256: Hex.text(entry.sha256),
            anchor: entry.anchor,
            kind: entry.kind?.rawValue,
            subject: entry.subject,
            firstSeenAt: entry.firstSeenAt,
            lastSeenAt: entry.lastSeenAt,
            devices: entry.devices,
            devicesLastHour: entry.devicesLastHour,
            limits: API.Limits(entry.limits),
            block: entry.block.map(API.Block.init),
            mark: entry.markedAt.map { Mark(at: $0, reason: entry.markedReason ?? "unknown") }
        )
    }
}
