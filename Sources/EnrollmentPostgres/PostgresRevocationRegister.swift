package import Enrollment
package import Foundation
package import PKI
package import Postgres

/// Revocations in PostgreSQL. Each change holds the end of the audit chain from its beginning, as enrollments do at their
/// commit: what is decided against one standing is never recorded under another.
package struct PostgresRevocationRegister: RevocationRegister {
    private let pool: PostgresPool
    private let webhooks: @Sendable () -> [WebhookSubscription]
    private let limit: RevocationLimit

    /// - Parameters:
    ///   - webhooks: Who is told of changes; asked anew for each.
    ///   - perHourMax: How many devices one operator may revoke an hour without a second one; 0 is no limit.
    package init(
        pool: PostgresPool,
        webhooks: @escaping @Sendable () -> [WebhookSubscription] = { [] },
        perHourMax: Int = 0
    ) {
        self.pool = pool
        self.webhooks = webhooks
        limit = RevocationLimit(perHourMax: perHourMax)
    }

    package func change(
        _ device: DeviceID,
        of fleet: FleetID,
        _ change: StandingChange,
        actor: String,
        at: Date
    ) async throws(RecordError) -> RevocationOutcome? {
        try await recording {
            try await pool.withTransaction { connection in
                let (head, fleetName) = try await Audited.lock(fleet, on: connection)
                let rows = try await connection.query(
                    """
                    select revocation_reason, current_serial from devices
                    where fleet_id = \(fleet.value) and device_id = \(device.text) for no key update
                    """
                )
                guard let row = rows.first else { return nil }
                let before = try Self.reason(row)
                let effect = change.effect(on: before)
                if let reason = Self.revoking(change, effect),
                    try await !limit.admits(device, of: fleet, reason: reason, actor: actor, at: at, on: connection)
                {
                    return .secondOperatorNeeded
                }
                let step = RevocationStep(
                    fleet: fleet,
                    fleetName: fleetName,
                    device: device,
                    change: change,
                    effect: effect,
                    before: before,
                    serial: try row.decode(at: 1, as: [UInt8]?.self),
                    actor: actor,
                    at: at,
                    sequence: head.sequence + 1
                )
                var queries = step.queries + WebhookWriter(subscriptions: webhooks()).queries(step.webhookEvents)
                if let audit = step.audit { queries += AuditWriter.queries([audit], after: head) }
                if !queries.isEmpty { _ = try await connection.pipeline(queries) }
                let entry = try await connection.query(PostgresDeviceRegister.query(device, of: fleet)).first
                guard let entry else { throw RecordError.broken("the device \(device) has no certificate") }
                return effect == .refuse ? .refused(try DeviceEntry(entry)) : .done(try DeviceEntry(entry))
            }
        }
    }

    /// For what a device is revoked, if it is.
    private static func revoking(_ change: StandingChange, _ effect: StandingChange.Effect) -> RevocationReason? {
        switch (change, effect) {
        case (.revoke(let reason, _), .revoke), (.revoke(let reason, _), .restate): reason
        case (.revoke, _), (.release, _), (.clear, _): nil
        }
    }

    private static func reason(_ row: PostgresRow) throws -> RevocationReason? {
        guard let text = try row.decode(at: 0, as: String?.self) else { return nil }
        guard let reason = RevocationReason(rawValue: text) else {
            throw RecordError.broken("a device is revoked for \(text), which this program does not know")
        }
        return reason
    }
}

/// The statements of one change. Certificates, keys and the device that were revoked together have the same time.
private struct RevocationStep {
    let fleet: FleetID
    let fleetName: String
    let device: DeviceID
    let change: StandingChange
    let effect: StandingChange.Effect
    let before: RevocationReason?
    /// Of the newest certificate.
    let serial: [UInt8]?
    let actor: String
    let at: Date
    /// Of its audit entry: by it stages are told that have reached the change.
    let sequence: Int64

    private var comment: String? { change.comment }

    private var reason: RevocationReason? {
        if case .revoke(let reason, _) = change { reason } else { nil }
    }

    var queries: [PostgresQuery] {
        switch effect {
        case .nothing, .refuse: []
        case .revoke: revoke
        case .restate: restate
        case .release: release
        case .clear: [lift(toldAs: nil)]
        }
    }

    private var revoke: [PostgresQuery] {
        let reason = reason?.rawValue
        return [
            """
            update devices
            set revoked_at = \(at), revocation_reason = \(reason), revoked_by = \(actor),
                revocation_comment = \(comment), standing_changes = standing_changes + 1, revocation_seq = \(sequence)
            where fleet_id = \(fleet.value) and device_id = \(device.text)
            """,
            """
            with revoked as (
                update certificates set status = 'revoked'
                where fleet_id = \(fleet.value) and device_id = \(device.text) and status <> 'revoked'
                    and not_after > \(at)
                returning issuer_id, serial, fleet_id, device_id, crl_shard, not_after
            ), listed as (
                insert into revocations (issuer_id, serial, fleet_id, device_id, revoked_at, reason, crl_shard, not_after)
                select issuer_id, serial, fleet_id, device_id, \(at), \(reason), crl_shard, not_after from revoked
                returning issuer_id, crl_shard
            )
            insert into crl_changes (issuer_id, shard, at, seq)
            select distinct issuer_id, unnest(array[0, crl_shard]), \(at)::timestamptz, \(sequence)::bigint from listed
            """,
            RecordChanges.notifyQuery(.revocations),
            """
            -- A key has a certificate of its device; they are found by that, since keys have no index by device.
            update device_keys set revoked_at = \(at)
            where key_sha256 = any (array(
                select key_sha256 from certificates where fleet_id = \(fleet.value) and device_id = \(device.text)))
                and fleet_id = \(fleet.value) and device_id = \(device.text) and revoked_at is null
            """,
            forgetting,
        ] + event(.revoked)
    }

    /// What an operator said of the device before does not let it in now.
    private var forgetting: PostgresQuery {
        "delete from approvals where fleet_id = \(fleet.value) and device_id = \(device.text)"
    }

    private var restate: [PostgresQuery] {
        let reason = reason?.rawValue
        return [
            """
            with restated as (
                update revocations r set reason = \(reason) from devices d
                where d.fleet_id = \(fleet.value) and d.device_id = \(device.text)
                    and r.fleet_id = d.fleet_id and r.device_id = d.device_id and r.revoked_at = d.revoked_at
                returning r.issuer_id, r.crl_shard
            )
            insert into crl_changes (issuer_id, shard, at, seq)
            select distinct issuer_id, unnest(array[0, crl_shard]), \(at)::timestamptz, \(sequence)::bigint from restated
            """,
            RecordChanges.notifyQuery(.revocations),
            """
            update devices
            set revocation_reason = \(reason), revoked_by = \(actor), revocation_comment = \(comment),
                standing_changes = standing_changes + 1, revocation_seq = \(sequence)
            where fleet_id = \(fleet.value) and device_id = \(device.text)
            """,
            forgetting,
        ] + event(.revoked)
    }

    private var release: [PostgresQuery] {
        [
            """
            with released as (
                delete from revocations r using devices d
                where d.fleet_id = \(fleet.value) and d.device_id = \(device.text)
                    and r.fleet_id = d.fleet_id and r.device_id = d.device_id and r.revoked_at = d.revoked_at
                returning r.issuer_id, r.serial, r.serial = d.current_serial as is_current, r.crl_shard
            ), unlisted as (
                insert into crl_changes (issuer_id, shard, at, seq)
                select distinct issuer_id, unnest(array[0, crl_shard]), \(at)::timestamptz, \(sequence)::bigint
                from released
            )
            update certificates c set status = case when r.is_current then 'valid' else 'superseded' end
            from released r where c.issuer_id = r.issuer_id and c.serial = r.serial
            """,
            """
            update device_keys k set revoked_at = null from devices d
            where d.fleet_id = \(fleet.value) and d.device_id = \(device.text)
                and k.key_sha256 = any (array(
                    select key_sha256 from certificates where fleet_id = \(fleet.value) and device_id = \(device.text)))
                and k.fleet_id = d.fleet_id and k.device_id = d.device_id and k.revoked_at = d.revoked_at
            """,
            RecordChanges.notifyQuery(.revocations),
            lift(toldAs: sequence),
        ] + event(.released)
    }

    /// - Parameter toldAs: The audit entry by which relying parties are told; nil if they are not.
    private func lift(toldAs sequence: Int64?) -> PostgresQuery {
        """
        update devices
        set revoked_at = null, revocation_reason = null, revoked_by = null, revocation_comment = null,
            standing_changes = standing_changes + 1, revocation_seq = coalesce(\(sequence)::bigint, revocation_seq)
        where fleet_id = \(fleet.value) and device_id = \(device.text)
        """
    }

    /// What the fleet is told.
    private func event(_ state: RevocationMessage.State) -> [PostgresQuery] {
        guard let name = FleetName(fleetName) else { return [] }
        let message = RevocationMessage(
            fleet: name,
            device: device,
            state: state,
            reason: reason,
            serial: serial,
            sequence: sequence,
            at: at
        )
        return OutboxWriter.queries(
            fleet: fleet.value,
            topic: Topics.revocations(name),
            payload: message.json,
            retained: false,
            sequence: sequence,
            at: at
        )
    }

    /// What webhooks are told: nothing, or one event.
    var webhookEvents: [WebhookEvent] {
        guard let name = FleetName(fleetName),
            let event = WebhookEvent(change, effect: effect, of: device, fleet: name, actor: actor, at: at)
        else { return [] }
        return [event]
    }

    var audit: AuditEntry? {
        let why = comment.map { ": \($0)" } ?? ""
        let reason = reason?.rawValue ?? ""
        let was = before?.rawValue ?? ""
        let (action, detail): (String, String)
        switch effect {
        case .nothing, .refuse: return nil
        case .revoke: (action, detail) = ("device.revoked", reason + why)
        case .restate: (action, detail) = ("device.revoked", "\(reason), before \(was)\(why)")
        case .release: (action, detail) = ("device.released", comment ?? "")
        case .clear: (action, detail) = ("device.cleared", "revoked for \(was)\(why)")
        }
        return AuditEntry(
            at: at,
            actor: actor,
            action: action,
            subject: AuditSubject.device(device.text, fleet: fleetName),
            detail: detail
        )
    }
}
