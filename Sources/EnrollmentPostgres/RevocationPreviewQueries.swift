import Enrollment
import Foundation
import PKI
import Postgres

/// What is asked of the record before many devices are revoked. Each question looks once at each device of the group, by the
/// index that chooses it, and at nothing else of that size.
struct RevocationPreviewQueries {
    /// Requests of the last minutes are looked at no further than this, newest first. Who was given a certificate is found
    /// without them.
    private static let attemptsMax: Int64 = 200_000

    let group: RevocationGroup
    let fleet: Int64
    /// For what the group is to be revoked.
    let reason: RevocationReason
    let at: Date

    private var since: Date { RevocationPreview.lately(at: at) }

    /// The reasons in whose place this one comes.
    private var replaced: [String] {
        RevocationReason.allCases.filter { reason.replaces($0) }.map(\.rawValue)
    }

    /// One row: how many would be revoked, are so already, have a valid certificate, were seen lately; then names and times of
    /// the first ones, and of the last ones seen lately.
    var devices: PostgresQuery {
        """
        with asked as (
            select a.device_id, max(a.at) as at
            from (select t.fleet_id, t.device_id, t.credential_kind, t.outcome, t.at from attempts t
                  where t.at >= \(since) order by t.at desc limit \(Self.attemptsMax)) a
            -- A claim proves no device, unless it came with the device's own key.
            where a.fleet_id = \(fleet) and a.device_id is not null
                and (a.credential_kind = 'ldevid' or a.outcome in ('issued', 'repeated'))
            group by a.device_id
        ), chosen as (
            select d.device_id, d.revocation_reason is null or d.revocation_reason = any (\(replaced)) as is_changed,
                   \(validAt: at) as is_valid,
                   greatest(\(unescaped: PostgresQuery.StringInterpolation.seenAt), g.reported_at, s.at) as seen_at
            from devices d
            left join revocations r on r.issuer_id = d.current_issuer_id and r.serial = d.current_serial
            left join agents g on g.fleet_id = d.fleet_id and g.device_id = d.device_id
            left join asked s on s.device_id = d.device_id
            where d.fleet_id = \(fleet)\(group, of: fleet, at: at)
        ), sample as (
            select device_id, seen_at from chosen where is_changed
            order by device_id limit \(Int64(RevocationPreview.sampleMax))
        ), latest as (
            select device_id, seen_at from chosen where is_changed and seen_at >= \(since)
            order by seen_at desc, device_id limit \(Int64(RevocationPreview.sampleMax))
        )
        select count(*) filter (where is_changed), count(*) filter (where not is_changed),
               count(*) filter (where is_changed and is_valid), count(*) filter (where is_changed and seen_at >= \(since)),
               array(select device_id from sample order by device_id),
               array(select seen_at from sample order by device_id),
               array(select device_id from latest order by seen_at desc, device_id),
               array(select seen_at from latest order by seen_at desc, device_id)
        from chosen
        """
    }

    /// A row a credential: its SHA-256 and its anchor's name; devices of the group, then others, each active and revoked; how
    /// many credentials there are in all; names and devices of other fleets.
    ///
    /// An IDevID is one device's, so that only claims are looked for, and the one that the group is chosen by. A claim's tally
    /// tells whether it let in others: only then they are looked at.
    var credentials: PostgresQuery {
        """
        with chosen as (
            select d.first_credential_sha256 as sha256, max(d.first_anchor_id) as anchor_id, count(*) as devices,
                   count(*) filter (where d.revocation_reason is null) as active
            from devices d
            left join revocations r on r.issuer_id = d.current_issuer_id and r.serial = d.current_serial
            where d.fleet_id = \(fleet)\(group, of: fleet, at: at)\(unescaped: claimsAlone)
                and d.first_credential_sha256 is not null
            group by d.first_credential_sha256
        ), named as (
            select sha256, c.anchor_id, coalesce(c.devices, 0) as devices, coalesce(c.active, 0) as active
            from chosen c
            full join (select \(group.credentialSHA256) as sha256 where \(group.credentialSHA256) is not null) n
                using (sha256)
        ), told as (
            select n.sha256, coalesce(b.anchor_id, n.anchor_id) as anchor_id, n.devices, n.active,
                   coalesce(b.kind = 'claim' and b.devices = n.devices, false) as is_alone, count(*) over () as credentials,
                   coalesce(b.devices, 0) - n.devices as others
            from named n left join bootstrap_credentials b on b.fleet_id = \(fleet) and b.sha256 = n.sha256
            order by others desc, n.devices desc, n.sha256 limit \(Int64(RevocationPreview.credentialsMax))
        )
        select t.sha256, a.name, t.active, t.devices - t.active,
               case when t.is_alone then 0 else o.active - t.active end,
               case when t.is_alone then 0 else o.revoked - (t.devices - t.active) end,
               t.credentials, coalesce(e.fleets, '{}'), coalesce(e.devices, '{}')
        from told t
        left join anchors a on a.id = t.anchor_id
        cross join lateral (
            select count(*) filter (where d.revocation_reason is null) as active,
                   count(*) filter (where d.revocation_reason is not null) as revoked
            from devices d
            where not t.is_alone and d.fleet_id = \(fleet) and d.first_credential_sha256 = t.sha256) o
        cross join lateral (
            select array_agg(w.name order by w.devices desc, w.name) as fleets,
                   array_agg(w.devices order by w.devices desc, w.name) as devices
            from (select f.name, b.devices
                  from fleets f join bootstrap_credentials b on b.fleet_id = f.id and b.sha256 = t.sha256
                  where f.id <> \(fleet) and b.devices > 0
                  order by b.devices desc, f.name limit \(Int64(RevocationPreview.fleetsMax))) w) e
        order by t.others desc, t.devices desc, t.sha256
        """
    }

    private var claimsAlone: String {
        guard group.credentialSHA256 == nil else { return "" }
        return """
             and exists (select from bootstrap_credentials b where b.fleet_id = d.fleet_id
                             and b.sha256 = d.first_credential_sha256 and b.kind = 'claim')
            """
    }

    /// Names that are no device's, and how many there are.
    var unknown: PostgresQuery {
        """
        select n.name, count(*) over () from unnest(\((group.devices ?? []).map(\.text))) as n (name)
        where not exists (select from devices d where d.fleet_id = \(fleet) and d.device_id = n.name)
        order by n.name collate "C" limit \(Int64(RevocationPreview.unknownMax))
        """
    }
}

extension PostgresQuery.StringInterpolation {
    private static let notAfter = """
        coalesce(d.current_not_after, (select f.not_after from certificates f
                                       where f.issuer_id = d.current_issuer_id and f.serial = d.current_serial))
        """

    /// When the record heard last of the device `d`, as `DeviceEntry.seenAt` has it.
    fileprivate static let seenAt = "greatest(d.enrolled_at, d.current_used_at, d.trust_store_acknowledged_at)"

    /// Whether the device `d` is valid, whose present certificate's revocation is `r`.
    fileprivate mutating func appendInterpolation(validAt at: Date) {
        appendLiteral("(d.revocation_reason is null and r.serial is null and \(Self.notAfter) >= ")
        appendInterpolation(at)
        appendLiteral(")")
    }

    /// ` and …` for each thing that the group says of the device `d`, whose present certificate's revocation is `r`.
    fileprivate mutating func appendInterpolation(_ group: RevocationGroup, of fleet: Int64, at: Date) {
        if let devices = group.devices { condition("d.device_id = any (", devices.map(\.text), ")") }
        if let prefix = group.prefix, !prefix.isEmpty {
            let names = NameRange(prefix: prefix, after: nil)
            condition("d.device_id >= ", names.first)
            condition("d.device_id < ", names.end)
        }
        if let sha256 = group.credentialSHA256 { condition("d.first_credential_sha256 = ", sha256) }
        if let anchor = group.anchor {
            condition("d.first_anchor_id = any (array(select id from anchors where fleet_id = ", fleet)
            condition("name = ", anchor, "))")
        }
        if let issuer = group.issuer {
            condition("d.current_issuer_id = (select id from issuers where name = ", issuer, ")")
        }
        if let from = group.enrolledFrom { condition("d.first_enrolled_at >= ", from) }
        if let until = group.enrolledUntil { condition("d.first_enrolled_at < ", until) }
        if let from = group.usedFrom { condition("d.current_used_at >= ", from) }
        if let until = group.usedUntil { condition("coalesce(d.current_used_at, '-infinity') < ", until) }
        if let from = group.seenFrom { condition("\(Self.seenAt) >= ", from) }
        if let until = group.seenUntil { condition("\(Self.seenAt) < ", until) }
        switch group.state {
        case nil: break
        case .held: appendLiteral(" and d.revocation_reason = '\(RevocationReason.certificateHold.rawValue)'")
        case .revoked: appendLiteral(" and d.revocation_reason <> '\(RevocationReason.certificateHold.rawValue)'")
        case .cleared: appendLiteral(" and d.revocation_reason is null and r.serial is not null")
        case .valid:
            appendLiteral(" and ")
            appendInterpolation(validAt: at)
        case .expired:
            appendLiteral(" and d.revocation_reason is null and r.serial is null")
            condition("\(Self.notAfter) < ", at)
        }
    }

    private mutating func condition(_ before: String, _ value: some PostgresEncodable, _ after: String = "") {
        appendLiteral(" and \(before)")
        appendInterpolation(value)
        appendLiteral(after)
    }
}
