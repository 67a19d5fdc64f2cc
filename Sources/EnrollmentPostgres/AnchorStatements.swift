import Enrollment
import Foundation
import Postgres

/// How a fleet's anchors get into the record, and to what an operator wants of them.
enum AnchorStatements {
    /// Puts in those of a fleet that has none yet.
    static func insert(_ anchors: [FleetCreation.Anchor], fleet: Int64, at: Date) -> PostgresQuery {
        """
        insert into anchors (fleet_id, name, certificate, device_id_rule, device_id_pattern, key_change, devices_max,
                             devices_per_hour, valid_from, valid_until, credential_devices_max,
                             credential_devices_per_hour, credential_valid_from, credential_valid_until, created_at)
        select \(fleet), w.name, w.certificate, w.device_id_rule, w.device_id_pattern, w.key_change, w.devices_max,
               w.devices_per_hour, w.valid_from, w.valid_until, w.credential_devices_max,
               w.credential_devices_per_hour, w.credential_valid_from, w.credential_valid_until, \(at)
        from unnest(\(anchors.map(\.name)), \(anchors.map(\.certificate)), \(anchors.map(\.rule.name)),
                    \(anchors.map(\.rule.pattern?.text)), \(anchors.map(\.keyChange.rawValue)),
                    \(anchors.map(\.limits.whole.devicesMax)), \(anchors.map(\.limits.whole.devicesPerHour)),
                    \(anchors.map(\.limits.whole.validFrom)), \(anchors.map(\.limits.whole.validUntil)),
                    \(anchors.map(\.limits.credential.devicesMax)),
                    \(anchors.map(\.limits.credential.devicesPerHour)),
                    \(anchors.map(\.limits.credential.validFrom)), \(anchors.map(\.limits.credential.validUntil)))
            with ordinality
            as w (name, certificate, device_id_rule, device_id_pattern, key_change, devices_max, devices_per_hour,
                  valid_from, valid_until, credential_devices_max, credential_devices_per_hour, credential_valid_from,
                  credential_valid_until, place)
        where not exists (select from anchors p where p.fleet_id = \(fleet) and p.name = w.name
                              and p.removed_at is null)
        order by w.place
        returning name
        """
    }

    /// Brings a fleet's anchors to `anchors`: three statements, each of which gives the names it touched: those
    /// removed, changed, added. An anchor is its name and its certificate: with another certificate it is another one,
    /// and one that was removed comes back with what it let in and with its block.
    static func replace(_ anchors: [FleetCreation.Anchor], fleet: Int64, at: Date) -> [PostgresQuery] {
        [
            """
            update anchors a set removed_at = \(at)
            where a.fleet_id = \(fleet) and a.removed_at is null and not exists (
                select from unnest(\(anchors.map(\.name)), \(anchors.map(\.certificate))) as w (name, certificate)
                where w.name = a.name and w.certificate = a.certificate)
            returning a.name
            """,
            """
            update anchors a
            set device_id_rule = w.device_id_rule, device_id_pattern = w.device_id_pattern, key_change = w.key_change,
                devices_max = w.devices_max, devices_per_hour = w.devices_per_hour, valid_from = w.valid_from,
                valid_until = w.valid_until, credential_devices_max = w.credential_devices_max,
                credential_devices_per_hour = w.credential_devices_per_hour,
                credential_valid_from = w.credential_valid_from, credential_valid_until = w.credential_valid_until,
                removed_at = null
            from unnest(\(anchors.map(\.name)), \(anchors.map(\.certificate)), \(anchors.map(\.rule.name)),
                        \(anchors.map(\.rule.pattern?.text)), \(anchors.map(\.keyChange.rawValue)),
                        \(anchors.map(\.limits.whole.devicesMax)), \(anchors.map(\.limits.whole.devicesPerHour)),
                        \(anchors.map(\.limits.whole.validFrom)), \(anchors.map(\.limits.whole.validUntil)),
                        \(anchors.map(\.limits.credential.devicesMax)),
                        \(anchors.map(\.limits.credential.devicesPerHour)),
                        \(anchors.map(\.limits.credential.validFrom)),
                        \(anchors.map(\.limits.credential.validUntil)))
                as w (name, certificate, device_id_rule, device_id_pattern, key_change, devices_max, devices_per_hour,
                      valid_from, valid_until, credential_devices_max, credential_devices_per_hour,
                      credential_valid_from, credential_valid_until)
            where a.id = (
                    select b.id from anchors b
                    where b.fleet_id = \(fleet) and b.name = w.name and b.certificate = w.certificate
                    order by b.removed_at desc nulls first, b.id desc limit 1)
                and (a.removed_at is not null
                     or (a.device_id_rule, a.device_id_pattern, a.key_change, a.devices_max, a.devices_per_hour,
                         a.valid_from, a.valid_until, a.credential_devices_max, a.credential_devices_per_hour,
                         a.credential_valid_from, a.credential_valid_until)
                        is distinct from
                        (w.device_id_rule, w.device_id_pattern, w.key_change, w.devices_max, w.devices_per_hour,
                         w.valid_from, w.valid_until, w.credential_devices_max, w.credential_devices_per_hour,
                         w.credential_valid_from, w.credential_valid_until))
            returning a.name
            """,
            insert(anchors, fleet: fleet, at: at),
        ]
    }
}
