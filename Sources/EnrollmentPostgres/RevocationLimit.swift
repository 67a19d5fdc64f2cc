import Enrollment
import Foundation
import PKI
import Postgres

/// How many devices one operator may revoke an hour; what a second one approved is beside it.
struct RevocationLimit {
    /// In the last 60 whole minutes and the present one; 0 is no limit.
    let perHourMax: Int

    /// Counts one more device, or takes it from what was approved. Whoever calls holds the end of the audit chain, so that no
    /// other server counts between the look and the change.
    /// - Returns: False if neither is left.
    func admits(
        _ device: DeviceID,
        of fleet: FleetID,
        reason: RevocationReason,
        actor: String,
        at: Date,
        on connection: PostgresConnection
    ) async throws -> Bool {
        guard perHourMax > 0 else { return true }
        let rows = try await connection.query(
            """
            with approved as (
                update revocation_request_devices d set used_at = \(at)
                from (select e.request_id, e.device_id
                      from revocation_request_devices e join revocation_requests r on r.id = e.request_id
                      where e.device_id = \(device.text) and e.used_at is null and r.fleet_id = \(fleet.value)
                          and r.requested_by = \(actor) and r.reason = \(reason.rawValue)
                          and r.approved_at is not null and r.expires_at > \(at)
                      order by r.id limit 1) as first
                where d.request_id = first.request_id and d.device_id = first.device_id
                returning d.device_id
            ), counted as (
                insert into revocation_minutes as m (actor, minute, devices)
                select \(actor), date_trunc('minute', \(at)::timestamptz), 1
                where not exists (select from approved) and \(Int64(perHourMax)) > (
                    select coalesce(sum(devices), 0) from revocation_minutes
                    where actor = \(actor) and minute >= date_trunc('minute', \(at)::timestamptz) - interval '60 minutes')
                on conflict (actor, minute) do update set devices = m.devices + 1
                returning devices
            )
            select exists (select from approved) or exists (select from counted)
            """
        )
        return try rows.first?.decode(as: Bool.self) ?? false
    }

    /// What an operator may still revoke; nil if there is no limit.
    func left(to actor: String, at: Date, _ pool: PostgresPool) async throws -> Int64? {
        guard perHourMax > 0 else { return nil }
        let rows = try await pool.query(
            """
            select coalesce(sum(devices), 0)::int8 from revocation_minutes
            where actor = \(actor) and minute >= date_trunc('minute', \(at)::timestamptz) - interval '60 minutes'
            """
        )
        return max(0, Int64(perHourMax) - (try rows.first?.decode(as: Int64.self) ?? 0))
    }
}
