import Enrollment
import Foundation
import OperatorAPI
import PKI

/// The attempts that were kept, and the audit log.
extension OperatorOperations {
    func listAttempts(_ call: OperatorCall) async throws -> OperatorAnswer {
        let limit = try call.query.limit()
        var query = AttemptQuery()
        query.device = try call.query.device("device")?.text
        query.outcome = try call.query.choice("outcome", Attempt.Outcome.self)
        query.reason = try call.query.choice("reason", RefusalReason.self)
        query.credentialSHA256 = try call.query.sha256("credential")
        query.from = try call.query.time("from")
        query.until = try call.query.time("until")
        let after = try ListingCursor.read(call).flatMap { cursor -> AttemptPosition? in
            guard let at = cursor.date, let id = cursor.number else { return nil }
            return AttemptPosition(at: at, id: id)
        }
        if let text = call.query.values["fleet"] {
            guard let name = FleetName(text) else {
                throw API.Problem.parameter("fleet", "must be 1 to 23 of a-z 0-9 -")
            }
            query.fleet = try await fleet(name)
        }
        let found = try await record.attempts.attempts(query, after: after, limit: limit + 1)
        return try ListingPage(found, limit: limit)
            .answer(API.Attempt.init) { ListingCursor(call, number: $0.id, time: $0.at) }
    }

    func getAttempt(_ call: OperatorCall) async throws -> OperatorAnswer {
        let id = try call.attempt()
        guard let entry = try await record.attempts.attempt(id) else {
            throw API.Problem.notFound(
                "attempt-unknown",
                "no attempt \(id.text) was kept; old ones are removed"
            )
        }
        return try .json(API.Attempt(entry))
    }

    func listAudit(_ call: OperatorCall) async throws -> OperatorAnswer {
        let limit = try call.query.limit()
        let found = try await record.audit.entries(
            subject: call.query.text("subject"),
            before: ListingCursor.read(call)?.number,
            limit: limit + 1
        )
        return try ListingPage(found, limit: limit)
            .answer(API.AuditEntry.init) { ListingCursor(call, number: $0.sequence) }
    }

    func verifyAudit(_ call: OperatorCall) async throws -> OperatorAnswer {
        switch try await record.audit.verify() {
        case .intact(let entries):
            try .json(API.AuditVerdict(isIntact: true, entries: entries, fault: nil))
        case .broken(let sequence, let why):
            try .json(
                API.AuditVerdict(isIntact: false, entries: max(0, sequence - 1), fault: "entry \(sequence): \(why)")
            )
        }
    }
}

extension API.Attempt {
    init(_ entry: AttemptEntry) {
        let explanation = AttemptExplanation(entry)
        self.init(
            id: entry.requestID,
            at: entry.at,
            fleet: entry.fleet,
            device: entry.device,
            operation: entry.operation,
            source: entry.source,
            credentialKind: entry.credentialKind,
            credentialSHA256: entry.credentialSHA256.map { Hex.text($0) },
            credentialSubject: entry.credentialSubject,
            anchor: entry.anchor,
            keySHA256: entry.publicKeySHA256.map { Hex.text($0) },
            stage: entry.stage,
            rule: entry.rule,
            outcome: entry.outcome,
            reason: entry.reason,
            detail: entry.detail,
            issuer: entry.issuer,
            serialNumber: entry.serialNumber.map { Hex.text($0) },
            explanation: Explanation(
                summary: explanation.summary,
                evidence: explanation.evidence.map { Explanation.Evidence(label: $0.label, value: $0.value) },
                remedy: explanation.remedy?.text,
                command: explanation.remedy?.command
            )
        )
    }
}

extension API.AuditEntry {
    init(_ entry: SequencedAuditEntry) {
        self.init(
            sequence: entry.sequence,
            at: entry.entry.at,
            actor: entry.entry.actor,
            action: entry.entry.action,
            subject: entry.entry.subject,
            detail: entry.entry.detail,
            hash: Hex.text(entry.hash)
        )
    }
}
