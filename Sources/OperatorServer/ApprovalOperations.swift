import Enrollment
import Foundation
import OperatorAPI
import PKI

/// The devices that wait for an operator's word.
extension OperatorOperations {
    func listApprovals(_ call: OperatorCall) async throws -> OperatorAnswer {
        let limit = try call.query.limit()
        let found = try await record.approvals.approvals(
            of: fleet(call),
            state: call.query.choice("state", ApprovalState.self),
            after: ListingCursor.read(call)?.number,
            limit: limit + 1
        )
        return try ListingPage(found, limit: limit)
            .answer(API.Approval.init) { ListingCursor(call, number: $0.id) }
    }

    func getApproval(_ call: OperatorCall) async throws -> OperatorAnswer {
        let id = try call.approval()
        guard let entry = try await record.approvals.approval(id, of: fleet(call)) else { throw try noApproval(call) }
        return try .json(API.Approval(entry))
    }

    func decide(_ call: OperatorCall, approve: Bool) async throws -> OperatorAnswer {
        let id = try call.approval()
        let entry = try await record.approvals.decide(
            id,
            of: fleet(call),
            approve: approve,
            comment: call.comment(),
            actor: call.actor,
            at: call.at
        )
        guard let entry else { throw try noApproval(call) }
        return try .json(API.Approval(entry))
    }

    private func noApproval(_ call: OperatorCall) throws -> API.Problem {
        .notFound(
            "approval-unknown",
            "no device of the fleet \(try call.fleetName()) waits, or waited, under number \(try call.approval())"
        )
    }
}

extension API.Approval {
    init(_ entry: ApprovalEntry) {
        self.init(
            id: entry.id,
            device: entry.device,
            keySHA256: Hex.text(entry.publicKeySHA256),
            kind: entry.kind.rawValue,
            state: entry.state.rawValue,
            anchor: entry.anchor,
            credentialSHA256: Hex.text(entry.credentialSHA256),
            credentialSubject: entry.credentialSubject,
            source: entry.source,
            requestedAt: entry.requestedAt,
            decidedAt: entry.decidedAt,
            decidedBy: entry.decidedBy,
            comment: entry.comment
        )
    }
}
