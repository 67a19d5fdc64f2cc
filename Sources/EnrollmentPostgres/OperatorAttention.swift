import Enrollment
import Foundation
import PKI
import Postgres

/// What a group leaves for an operator to look at: devices that wait for approval, credentials that came up against a
/// limit. What is there already stays as it is, and each statement gives what is new.
struct OperatorAttention {
    private let asks: [(attempt: Attempt, request: ApprovalRequest)]
    private let marks: [(attempt: Attempt, credential: [UInt8])]

    init(_ entries: [EnrollmentEntry]) {
        var asks: [(Attempt, ApprovalRequest)] = []
        var marks: [(Attempt, [UInt8])] = []
        for entry in entries {
            switch entry.effect {
            case .nothing, .issue: break
            case .ask(let request): asks.append((entry.attempt, request))
            case .mark:
                guard let credential = entry.attempt.credentialSHA256 else { break }
                marks.append((entry.attempt, credential))
            }
        }
        self.asks = asks
        self.marks = marks
    }

    /// At most two statements; `news` reads their results.
    var queries: [PostgresQuery] {
        var queries: [PostgresQuery] = []
        if !asks.isEmpty { queries.append(askQuery) }
        if !marks.isEmpty { queries.append(markQuery) }
        return queries
    }

    /// What is new.
    struct News {
        var audit: [AuditEntry] = []
        /// Of each credential that was marked.
        var webhooks: [WebhookEvent] = []
    }

    /// - Parameter tellsWebhooks: False leaves out what only they are told.
    func news(_ results: ArraySlice<PostgresRows>, tellsWebhooks: Bool) throws -> News {
        var results = results
        var news = News()
        if !asks.isEmpty, let rows = results.popFirst() {
            for row in rows {
                let (attempt, request) = asks[Int(try row.decode(at: 0, as: Int64.self)) - 1]
                let names = DeviceNames(device: request.device, fleet: attempt.fleetName)
                news.audit.append(
                    AuditEntry(
                        at: attempt.at,
                        actor: "device \(names.commonName)",
                        action: "approval.requested",
                        subject: names.commonName,
                        detail: "\(request.kind.rawValue), key \(Hex.text(request.publicKeySHA256))"
                    )
                )
            }
        }
        if !marks.isEmpty, let rows = results.popFirst() {
            for row in rows {
                let (attempt, credential) = marks[Int(try row.decode(at: 0, as: Int64.self)) - 1]
                let reason = attempt.refusal?.reason.rawValue ?? attempt.rule
                if tellsWebhooks { news.webhooks.append(WebhookEvent(marking: credential, by: attempt)) }
                news.audit.append(
                    AuditEntry(
                        at: attempt.at,
                        actor: "muster",
                        action: "credential.marked",
                        subject: AuditSubject.credential(credential, fleet: attempt.fleetName.text),
                        detail: "\(reason), by the device \(attempt.device?.text ?? "unknown")"
                    )
                )
            }
        }
        return news
    }

    private var askQuery: PostgresQuery {
        """
        with wanted as (
            select * from unnest(\(asks.map(\.attempt.fleet.value)), \(asks.map(\.request.device.text)),
                                 \(asks.map(\.request.publicKeySHA256)), \(asks.map(\.request.kind.rawValue)),
                                 \(asks.map(\.attempt.anchor?.value)), \(asks.map { $0.attempt.credentialSHA256 ?? [] }),
                                 \(asks.map(\.attempt.credentialSubject)), \(asks.map(\.attempt.source)),
                                 \(asks.map(\.attempt.at)))
                with ordinality
                as w (fleet_id, device_id, key_sha256, kind, anchor_id, credential_sha256, subject, source, at, place)
        ), asked as (
            insert into approvals (fleet_id, device_id, key_sha256, kind, anchor_id, credential_sha256,
                                   credential_subject, source, requested_at)
            select fleet_id, device_id, key_sha256, kind, anchor_id, credential_sha256, subject, source, at
            from wanted order by place
            on conflict (fleet_id, device_id, key_sha256) do nothing
            returning fleet_id, device_id, key_sha256
        )
        select min(w.place) from asked join wanted w using (fleet_id, device_id, key_sha256)
        group by fleet_id, device_id, key_sha256
        """
    }

    private var markQuery: PostgresQuery {
        """
        with wanted as (
            select distinct on (fleet_id, sha256) *
            from unnest(\(marks.map(\.attempt.fleet.value)), \(marks.map(\.credential)),
                        \(marks.map(\.attempt.anchor?.value)), \(marks.map(\.attempt.credentialKind?.rawValue)),
                        \(marks.map(\.attempt.credentialSubject)), \(marks.map(\.attempt.at)),
                        \(marks.map { $0.attempt.refusal?.reason.rawValue ?? $0.attempt.rule }))
                with ordinality as w (fleet_id, sha256, anchor_id, kind, subject, at, reason, place)
            order by fleet_id, sha256, place
        ), marked as (
            insert into bootstrap_credentials as b (fleet_id, sha256, anchor_id, kind, subject, first_seen_at,
                                                    last_seen_at, marked_at, marked_reason)
            select fleet_id, sha256, anchor_id, kind, subject, at, at, at, reason from wanted
            on conflict (fleet_id, sha256) do update
            set anchor_id = excluded.anchor_id, kind = excluded.kind, subject = excluded.subject,
                first_seen_at = coalesce(b.first_seen_at, excluded.first_seen_at),
                last_seen_at = greatest(b.last_seen_at, excluded.last_seen_at),
                marked_at = excluded.marked_at, marked_reason = excluded.marked_reason
            where b.marked_at is null
            returning fleet_id, sha256
        )
        select w.place from marked join wanted w using (fleet_id, sha256)
        """
    }
}
