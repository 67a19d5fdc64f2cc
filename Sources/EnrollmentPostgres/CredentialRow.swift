import Enrollment
import Foundation
import Postgres

/// How rows of `bootstrap_credentials` become entries. What an IDevID let in is counted where the devices are.
enum CredentialRow {
    /// Makes entries of the credentials on a page.
    static let entries = """
        select b.sha256, a.name, b.kind, b.subject, b.first_seen_at, b.last_seen_at,
               case when b.kind = 'claim' then b.devices
                    else (select count(*) from devices d
                          where d.fleet_id = b.fleet_id and d.first_credential_sha256 = b.sha256) end,
               (select coalesce(sum(m.devices), 0)::int8 from bootstrap_minutes m
                where m.anchor_id = b.anchor_id and m.credential_sha256 = b.sha256
                    and m.minute >= date_trunc('minute', now()) - interval '60 minutes'),
               b.devices_max, b.devices_per_hour, b.valid_from, b.valid_until,
               b.blocked_at, b.blocked_by, b.block_comment, b.marked_at, b.marked_reason
        from page b left join anchors a on a.id = b.anchor_id
        """

    static func query(_ sha256: [UInt8], of fleet: FleetID) -> PostgresQuery {
        """
        with page as (
            select * from bootstrap_credentials where fleet_id = \(fleet.value) and sha256 = \(sha256)
        )
        \(unescaped: entries)
        """
    }

    static func decode(_ row: PostgresRow) throws -> CredentialEntry {
        var columns = row.columns
        return CredentialEntry(
            sha256: try columns.next(),
            anchor: try columns.next(String?.self),
            kind: try columns.next(String?.self).flatMap { Attempt.CredentialKind(rawValue: $0) },
            subject: try columns.next(String?.self),
            firstSeenAt: try columns.next(Date?.self),
            lastSeenAt: try columns.next(Date?.self),
            devices: try columns.next(),
            devicesLastHour: try columns.next(),
            limits: try BootstrapLimits(&columns),
            block: try BlockEntry(&columns),
            markedAt: try columns.next(Date?.self),
            markedReason: try columns.next(String?.self)
        )
    }
}

extension CredentialEntry {
    /// One that no fleet saw and nobody spoke of.
    static func unseen(_ sha256: [UInt8]) -> CredentialEntry {
        CredentialEntry(
            sha256: sha256,
            anchor: nil,
            kind: nil,
            subject: nil,
            firstSeenAt: nil,
            lastSeenAt: nil,
            devices: 0,
            devicesLastHour: 0,
            limits: BootstrapLimits(),
            block: nil,
            markedAt: nil,
            markedReason: nil
        )
    }
}
